/** The circuit breaker: the core's decisions, and what needs JavaScript's own promises. */

import { checkFunction, guardedCall } from './call.js';
import type { Signal } from './classify.js';
import type { CircuitBreakerConfig, EffectiveConfig } from './config.js';
import type { Mode, State } from './enums.js';
import { InvalidValueError } from './errors.js';
import { Executor } from './executor.js';
import { formatValue } from './format-value.js';
import { type Fields, field, fieldsOf, plain, plainFields } from './host-values.js';
import type { TransitionListener } from './listeners.js';
import { outerCall } from './nesting.js';
import { type CircuitBreakerOptions, setupOf, splitOptions } from './options.js';
import { Permit } from './permit.js';
import { trackPermit } from './permit-gc.js';
import { type DurationsByOutcome, type Status, statusOf, type TransitionEvent } from './status.js';

/** What may be said of a call. */
export interface CallOptions {
  /** The signal that its caller aborts it with: a call that rejects with its reason is cancelled, unless that is a timeout. */
  readonly signal?: Signal | undefined;
  /** The permit of the call that this one is made inside, for hosts that cannot know it by themselves. */
  readonly inside?: Permit | undefined;
}

/**
 * A circuit breaker. It starts no timer, and nothing of it keeps a process alive.
 *
 * @example
 * ```js
 * const breaker = new CircuitBreaker({ name: 'gemini', failureThreshold: 3, timeoutSeconds: 30 });
 * const answer = await breaker.call(() => fetch(url, { signal: AbortSignal.timeout(5000) }));
 * ```
 */
export class CircuitBreaker {
  readonly #executor: Executor;
  #config: EffectiveConfig;

  /**
   * A closed circuit.
   *
   * @throws InvalidValueError naming the option, for a value that is not allowed or an option that does not exist
   */
  constructor(options: CircuitBreakerOptions = {}) {
    const { config, host } = splitOptions(options);
    this.#executor = new Executor(config, setupOf(host));
    this.#config = this.#configuration();
  }

  /**
   * Runs `fn()` if the circuit lets it, and waits for what it returns before judging it. Its result and its own errors pass
   * through untouched.
   *
   * The call ends when its promise settles, or, where that brings an async generator, when that has ended: its error counts,
   * and a consumer that stops early, or throws, cancels the call. Such a call lasts as long as the stream, without the time
   * that its consumer takes, and a probe succeeds only where its stream is read to the end. Streams of other makes are
   * guarded with {@link acquire}.
   *
   * A call that is made inside a probe of the same breaker rides on its permit, as far as the host can tell: everywhere
   * with `AsyncLocalStorage`, elsewhere before the first `await` of `fn`, or where `inside` says so.
   *
   * @throws CircuitBreakerOpenError where the circuit did not let it run
   */
  call<Result>(fn: () => Result, options?: CallOptions): Promise<Awaited<Result>> {
    return options === undefined ? guardedCall(this.#executor, fn, undefined, []) : this.#callWith(fn, options);
  }

  async #callWith<Result>(fn: () => Result, options: CallOptions): Promise<Awaited<Result>> {
    const given = fieldsOf('options', options);
    checkOptions(given, ['signal', 'inside']);
    const signal = given.get('signal') as Signal | undefined;
    return guardedCall(this.#executor, fn, undefined, [], signal, this.#permitOf(given));
  }

  /** A function with the name, the length and the `this` of `fn` that makes each of its calls as {@link call} does. */
  wrap<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>> {
    checkFunction(fn);
    const executor = this.#executor;
    const wrapped = function (this: This, ...args: Args) {
      return guardedCall(executor, fn, this, args);
    };
    for (const property of ['name', 'length'] as const) {
      Object.defineProperty(wrapped, property, { value: fn[property], configurable: true });
    }
    return wrapped;
  }

  /**
   * Asks for a permit to make one call.
   *
   * @param options - `inside`: the permit of the call that this one is made inside
   * @throws CircuitBreakerOpenError where the circuit rejects it
   */
  acquire(options?: Pick<CallOptions, 'inside'>): Permit {
    let inside: number | undefined;
    if (options !== undefined) {
      const given = fieldsOf('options', options);
      checkOptions(given, ['inside']);
      inside = this.#permitOf(given);
    }
    const number = this.#executor.enter(inside ?? outerCall(this.#executor));
    if (number < 0) {
      throw this.#executor.rejection(number);
    }
    const permit = new Permit(this.#executor, number);
    trackPermit(permit);
    return permit;
  }

  /** The circuit's name. */
  get name(): string {
    return this.#executor.name;
  }

  /** The configuration in force; frozen. */
  get config(): EffectiveConfig {
    // Another thread may have put a new one in force.
    return this.#executor.isShared ? this.#configuration() : this.#config;
  }

  /** The state now; `half_open` also where the wait is over and nobody has called yet. */
  get state(): State {
    return this.#executor.ask((circuit, millis) => circuit.state(millis));
  }

  /** Who decides now. */
  get mode(): Mode {
    return this.#executor.ask((circuit, millis) => circuit.mode(millis));
  }

  /** Everything that can be read, at one moment; a plain object that is ready for JSON. */
  status(): Status {
    const reading = this.#executor.ask((circuit, millis) => circuit.status(millis));
    return statusOf(this.#executor.name, reading, this.#executor.wall.originOf(reading.nowSeconds));
  }

  /**
   * The last transitions, oldest first: those with a sequence number above `after`, at most 64.
   *
   * @throws InvalidValueError for what is no whole number of 0 or more
   */
  events(after = 0): TransitionEvent[] {
    if (!(Number.isInteger(after) && after >= 0)) {
      throw new InvalidValueError('after', formatValue(after), 'a sequence number, or 0 for all');
    }
    return this.#executor.eventsAfter(after);
  }

  /** How long the calls took that ended in success and in failure. */
  durations(): DurationsByOutcome {
    return this.#executor.ask((circuit) => circuit.durations());
  }

  /**
   * The duration in seconds that this share (0 to 1) of the calls did not exceed which ended so; null before the first.
   * It is interpolated within its bucket as Prometheus' `histogram_quantile` does.
   *
   * @throws InvalidValueError for another share or outcome
   */
  percentile(share: number, outcome: 'success' | 'failure' = 'success'): number | null {
    const given = new Map<string, unknown>([
      ['share', share],
      ['outcome', outcome],
    ]);
    return this.#executor.ask((circuit) => circuit.percentile(plain(share), plain(outcome)), given);
  }

  /**
   * Whether the circuit holds nothing against the next calls: it is closed, without a failure streak, without a failure
   * or a slow call in its window, without an opening that would make the next wait longer, without a call in flight, a
   * listener or an operator's order.
   */
  isIdle(): boolean {
    return this.#executor.listeners.isEmpty && this.#executor.ask((circuit, millis) => circuit.isIdle(millis));
  }

  /**
   * Holds the circuit open for so many seconds, or until it is reset; a second order renews the first. When the time
   * is over, the next call is a probe.
   *
   * @param durationSeconds - above 0, at most one year
   * @throws InvalidValueError for another duration
   */
  forceOpen(durationSeconds?: number | null): void {
    const seconds = durationSeconds ?? null;
    const given = field('durationSeconds', seconds);
    this.#executor.order((circuit, millis) => circuit.forceOpen(plain(seconds), millis), given);
  }

  /** Lets every call pass and judges none, until the circuit is reset or forced open. */
  disable(): void {
    this.#executor.order((circuit, millis) => circuit.disable(millis));
  }

  /** Closes the circuit and hands it back to the machine; lifetime counters stay. */
  reset(): void {
    this.#executor.order((circuit, millis) => circuit.reset(millis));
  }

  /**
   * Puts a whole new configuration in force: state, mode, counters and the running wait stay, thresholds hold from the
   * next event on, and a window whose shape changed starts empty. The name stays, since it identifies the circuit.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed; then nothing has changed
   */
  reconfigure(config: CircuitBreakerConfig): void {
    const fields = fieldsOf('config', config);
    this.#executor.order((circuit, millis) => circuit.reconfigure(plainFields(fields), millis), fields);
    this.#config = this.#configuration();
  }

  /**
   * Whether a breaker made with `config` would have the configuration that is in force here.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  matches(config: CircuitBreakerConfig): boolean {
    const fields = fieldsOf('config', config);
    return this.#executor.ask((circuit) => circuit.matches(plainFields(fields)), fields);
  }

  /** What outlives this breaker, as a JSON document; a call in flight is saved as cancelled. */
  snapshot(): string {
    return JSON.stringify(this.#executor.ask((circuit, millis) => circuit.snapshot(millis)));
  }

  /**
   * Goes on where a snapshot was taken: its state takes the place of this breaker's own, its counts are added.
   *
   * @throws InvalidValueError naming the part, for a document that is damaged, of another version, or in contradiction
   * with itself; then nothing has changed
   */
  restore(document: string): void {
    if (typeof document !== 'string') {
      throw new InvalidValueError('snapshot', formatValue(document), 'a JSON document made by snapshot()');
    }
    this.#executor.order((circuit, millis) => circuit.restore(document, millis));
  }

  /** Says in one sentence why the circuit is as it is and what would change it. */
  explain(): string {
    return this.#executor.ask((circuit, millis) => circuit.explain(millis));
  }

  /** Calls `listener` with each further transition, after the change and in order; returns what ends that. */
  subscribe(listener: TransitionListener): () => boolean {
    checkFunction(listener);
    return this.#executor.listeners.add(listener);
  }

  #configuration(): EffectiveConfig {
    const config = this.#executor.ask((circuit) => circuit.config());
    Object.freeze(config.window);
    return Object.freeze(config);
  }

  /** The number of the permit that a call says it is made inside; one of another breaker is none. */
  #permitOf(given: Fields): number | undefined {
    return (given.get('inside') as Permit | undefined)?.numberFor(this.#executor);
  }
}

const CALL_OPTIONS: Readonly<Record<string, { allowed: string; fits: (value: unknown) => boolean }>> = {
  signal: { allowed: 'an AbortSignal', fits: isSignal },
  inside: { allowed: 'a permit', fits: (value) => value instanceof Permit },
};

function checkOptions(given: Fields, names: readonly string[]): void {
  for (const [name, value] of given) {
    const rule = names.includes(name) ? CALL_OPTIONS[name] : undefined;
    if (!rule?.fits(value)) {
      throw new InvalidValueError(name, formatValue(value), rule?.allowed ?? `one of: ${names.join(', ')}`);
    }
  }
}

function isSignal(value: unknown): boolean {
  try {
    return typeof (value as Signal).aborted === 'boolean';
  } catch {
    return false;
  }
}
