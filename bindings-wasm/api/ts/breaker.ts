/** The circuit breaker that users see. The core decides; this adds promises, streams and errors. */

import { guardedCall } from './call.js';
import type { Signal } from './classify.js';
import { type CircuitBreakerConfig, type EffectiveConfig, RECONFIGURED } from './config.js';
import type { Mode, State } from './enums.js';
import { Executor, type Observer } from './executor.js';
import { check, refuseAssignments } from './format-value.js';
import { fieldsOf, parsed, plain } from './host-values.js';
import type { TransitionListener } from './listeners.js';
import { outerCall } from './nesting.js';
import { type CircuitBreakerOptions, checkedOptions, isCallable, type Rules, splitOptions } from './options.js';
import { Permit } from './permit.js';
import { type DurationsByOutcome, type Status, statusOf, type TransitionEvent } from './status.js';

/** The executor of a breaker, which outlives it. @internal */
export let executorOf: (breaker: CircuitBreaker) => Executor;

/** The breaker of an executor that a registry has let go: the one that is held elsewhere, or a new one. @internal */
export function breakerOf(executor: Executor): CircuitBreaker {
  const breaker = executor.released?.deref() ?? new CircuitBreaker(executor as CircuitBreakerOptions);
  executor.released = new WeakRef(breaker);
  return breaker;
}

const ACQUIRE_OPTIONS: Rules = new Map([['inside', ['a permit', (value) => value instanceof Permit]]]);
const CALL_OPTIONS: Rules = new Map([
  ['signal', ['an AbortSignal', (value) => typeof (value as Signal).aborted === 'boolean']],
  ...ACQUIRE_OPTIONS,
]);

/** Options of one call. */
export interface CallOptions {
  /**
   * The signal that aborts the call: a call that fails after it was aborted is cancelled, unless the reason is a
   * timeout.
   */
  readonly signal?: Signal | undefined;
  /** The permit of the outer call, for hosts that cannot detect it. */
  readonly inside?: Permit | undefined;
}

/**
 * A circuit breaker. It starts no timer and keeps no process alive.
 *
 * @example
 * ```js
 * const breaker = new CircuitBreaker({ name: 'gemini', failureThreshold: 3, timeoutSeconds: 30 });
 * const answer = await breaker.call(() => fetch(url, { signal: AbortSignal.timeout(5000) }));
 * ```
 */
export class CircuitBreaker {
  readonly #executor: Executor;

  /**
   * A closed circuit.
   *
   * @throws InvalidValueError naming the option, for a value that is not allowed or an option that does not exist
   */
  constructor(options: CircuitBreakerOptions = {}) {
    this.#executor = Executor.is(options) ? options : new Executor(...splitOptions(options));
  }

  static {
    executorOf = (breaker) => breaker.#executor;
  }

  /**
   * Runs `fn()` if the circuit admits the call, awaits its result and records the outcome. Its result and its own
   * errors pass through unchanged.
   *
   * The call ends when its promise settles. If `fn` returns an async generator, the call ends with the generator: an
   * error counts, and a consumer that stops early or throws cancels the call. The duration of such a call leaves out
   * the consumer's time, and a probe succeeds only if its stream is read to the end. For other kinds of streams use
   * {@link acquire}.
   *
   * A call nested in a probe of the same breaker shares the probe's permit. With `AsyncLocalStorage` nested calls are
   * always detected; without it only before the first `await` of `fn`, so pass `inside` after that.
   *
   * @throws CircuitBreakerOpenError if the circuit rejects the call
   */
  call<Result>(fn: () => Result, options?: CallOptions): Promise<Awaited<Result>> {
    return options === undefined ? guardedCall(this.#executor, fn) : this.#callWith(fn, options);
  }

  async #callWith<Result>(fn: () => Result, options: CallOptions): Promise<Awaited<Result>> {
    const { signal, inside } = checkedOptions(options, CALL_OPTIONS);
    return guardedCall(this.#executor, fn, signal, inside?.numberFor(this.#executor));
  }

  /**
   * A function with the name, length and `this` of `fn`, whose calls are guarded as by {@link call}.
   *
   * @throws InvalidValueError for a class, which cannot be called, and for anything but a function
   */
  wrap<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>> {
    check(isCallable(fn), 'fn', fn, 'a function, and no class');
    // The breaker and not its executor, so that it is not collected while the function can be called.
    const breaker = this;
    const wrapped = function (this: This, ...args: Args) {
      return guardedCall(breaker.#executor, () => Reflect.apply(fn, this, args) as Result);
    };
    for (const property of ['name', 'length'] as const) {
      Object.defineProperty(wrapped, property, { value: fn[property], configurable: true });
    }
    return wrapped;
  }

  /**
   * Asks for a permit to make one call.
   *
   * @param options - `inside`: the permit of the outer call
   * @throws CircuitBreakerOpenError if the circuit rejects the call
   */
  acquire(options?: Pick<CallOptions, 'inside'>): Permit {
    const inside = options === undefined ? undefined : checkedOptions(options, ACQUIRE_OPTIONS).inside;
    const clock = this.#executor.clockOfCall();
    const number = this.#executor.enter(clock, inside?.numberFor(this.#executor) ?? outerCall(this.#executor));
    if (number < 0) {
      throw this.#executor.rejection(number);
    }
    const permit = new Permit(this.#executor, number, clock);
    permit.trackSoon();
    return permit;
  }

  /** The circuit's name. */
  get name(): string {
    return this.#executor.name;
  }

  /** The configuration in force; frozen. */
  get config(): EffectiveConfig {
    const config = this.#executor.ask((core) => core.config());
    Object.freeze(config.window);
    return Object.freeze(config);
  }

  /** The current state; also `half_open` if the wait is over and no call has come since. */
  get state(): State {
    return this.#executor.ask((core, millis) => core.state(millis) as State);
  }

  /** Whether the breaker or an operator decides. */
  get mode(): Mode {
    return this.#executor.ask((core, millis) => core.mode(millis) as Mode);
  }

  /** A consistent reading of all state and counters, as a plain object that JSON can hold. */
  status(): Status {
    const reading = this.#executor.ask((core, millis) => core.status(millis));
    return statusOf(this.#executor.name, reading, this.#executor.wall.originOf(reading.nowSeconds));
  }

  /**
   * The last transitions, oldest first: those with a sequence number above `after`, at most 64.
   *
   * @throws InvalidValueError unless `after` is a whole number of 0 or more
   */
  events(after = 0): TransitionEvent[] {
    check(Number.isInteger(after) && after >= 0, 'after', after, 'a sequence number, or 0 for all');
    return this.#executor.eventsAfter(after);
  }

  /** Histograms of the durations of successful and failed calls. */
  durations(): DurationsByOutcome {
    return this.#executor.ask((core) => core.durations());
  }

  /**
   * The duration in seconds that this share (0 to 1) of the calls with this outcome did not exceed; null before the
   * first. Interpolated within a bucket like Prometheus' `histogram_quantile`.
   *
   * @throws InvalidValueError for another share or outcome
   */
  percentile(share: number, outcome: 'success' | 'failure' = 'success'): number | null {
    const seconds = this.#executor.ask((core) => core.percentile(plain(share), plain(outcome)), { share, outcome });
    return Number.isNaN(seconds) ? null : seconds;
  }

  /**
   * Whether a new breaker in its place would behave the same: it is closed, has no failure streak, no failed or slow
   * call in its window, no earlier opening that makes the next wait longer, no call in flight and no listener,
   * and no operator has disabled it.
   */
  isIdle(): boolean {
    return this.#executor.isIdle();
  }

  /**
   * Holds the circuit open for this many seconds, or until it is reset; calling it again replaces the duration. When
   * the time is over, the next call is a probe.
   *
   * @param durationSeconds - above 0, at most one year
   * @throws InvalidValueError for another duration
   */
  forceOpen(durationSeconds?: number | null): void {
    const seconds = durationSeconds ?? null;
    this.#executor.order((core, millis) => core.open(plain(seconds), millis), { durationSeconds: seconds });
  }

  /** Lets every call pass, without evaluating outcomes, until the circuit is reset or forced open. */
  disable(): void {
    this.#executor.order((core, millis) => core.disable(millis));
  }

  /** Closes the circuit and hands it back to the machine; lifetime counters stay. */
  reset(): void {
    this.#executor.order((core, millis) => core.reset(millis));
  }

  /**
   * Replaces the whole configuration. State, mode, counters and the running wait stay, thresholds apply from the next
   * event on, and a window whose shape changed starts empty. The name stays, because it identifies the circuit.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed; then nothing has changed
   */
  reconfigure(config: CircuitBreakerConfig): void {
    const fields = fieldsOf('config', config);
    this.#executor.order((core, millis) => core.reconfigure(plain(fields), millis), fields);
  }

  /**
   * Whether a breaker made with `config` would have the configuration that is in force here.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  matches(config: CircuitBreakerConfig): boolean {
    return this.difference(config) === undefined;
  }

  /**
   * The first field whose value in `config`, or whose default, differs from the one that is in force here.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  difference(config: CircuitBreakerConfig): string | undefined {
    const fields = fieldsOf('config', config);
    return this.#executor.ask((core) => core.difference(plain(fields)), fields) || undefined;
  }

  /** The breaker's state as a JSON document for {@link restore}; a call in flight is saved as cancelled. */
  snapshot(): string {
    return JSON.stringify(this.#executor.ask((core, millis) => core.snapshot(millis)));
  }

  /**
   * Continues from a snapshot: its state replaces this breaker's own, and its counts are added.
   *
   * @throws InvalidValueError naming the part, for a document that is damaged, of another version, or inconsistent;
   * then nothing has changed
   */
  restore(document: string): void {
    const state = parsed('snapshot', document);
    this.#executor.order((core, millis) => core.restore(state, millis));
  }

  /** One sentence for an operator: why the circuit is in its state, and what would change that. */
  explain(): string {
    return this.#executor.ask((core, millis) => core.explain(millis));
  }

  /**
   * Calls `listener` with each further transition, after the change and in order; returns a function that unsubscribes.
   */
  subscribe(listener: TransitionListener): () => boolean {
    check(isCallable(listener), 'listener', listener, 'a function, and no class');
    return this.#executor.listeners.add(listener);
  }

  /**
   * How many transitions the listeners have missed: other threads made more than 64 while the event loop of this one was
   * busy.
   */
  get missedEvents(): number {
    return this.#executor.listeners.missed;
  }

  /** Adds a recorder of every further call; false if there is one already. @internal */
  observe(observer: Observer): boolean {
    this.#executor.observer ??= observer;
    return this.#executor.observer === observer;
  }
}

const SWITCH = 'call reset(), forceOpen() or disable()';
refuseAssignments(CircuitBreaker, {
  ...Object.fromEntries(RECONFIGURED.map((field) => [field, `call reconfigure({ ...breaker.config, ${field}: … })`])),
  name: 'make another CircuitBreaker',
  config: 'call reconfigure(config)',
  state: SWITCH,
  mode: SWITCH,
  missedEvents: 'it counts by itself',
});
