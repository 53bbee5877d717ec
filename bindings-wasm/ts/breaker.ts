/** The circuit breaker: the core's decisions, and what needs JavaScript's own promises. */

import { Calls } from './calls.js';
import { type Bytes, type Circuit, provider } from './circuit.js';
import { HostClock } from './clock.js';
import { type CircuitBreakerConfig, type EffectiveConfig, fieldsOf } from './config.js';
import { InvalidValueError } from './errors.js';
import { judgeBy, judgeByName } from './judge.js';
import { Listeners, type TransitionListener } from './listeners.js';
import { type CircuitBreakerOptions, optionsOf } from './options.js';
import type { Permit } from './permit.js';
import { type Field, field } from './properties.js';
import { granted } from './refused.js';
import { show } from './show.js';
import {
  type DurationsByOutcome,
  type DurationsRead,
  durationsOf,
  type EventRead,
  eventOf,
  type Status,
  type StatusRead,
  statusOf,
  type TransitionEvent,
  WallClock,
} from './status.js';
import type { Mode, State } from './vocabulary.js';
import { answered, configuration, Refusal, request } from './wire.js';

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
  readonly #listeners = new Listeners((after) => this.#eventsAfter(after));
  readonly #calls: Calls;
  readonly #wall: WallClock;
  #config: EffectiveConfig;

  /**
   * A closed circuit.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  constructor(config: CircuitBreakerConfig = {}, options: CircuitBreakerOptions = {}) {
    const { clock, classify } = optionsOf(options);
    const build = provider();
    const fields = fieldsOf('config', config);
    const time = clock === undefined ? build.time : new HostClock(clock, build.latest);
    const made = build.create(configuration(fields), time);
    const circuit = made instanceof Uint8Array ? granted<Circuit>(made, fields) : made;
    const judge = classify === undefined ? judgeByName : judgeBy(classify);
    // Not `this.name`, which a subclass may make something else of.
    this.#calls = new Calls(() => this.#config.name, circuit, judge, this.#listeners);
    this.#config = this.#configured();
    this.#wall = new WallClock(this.#ask<StatusRead>('status').nowSeconds);
  }

  /**
   * Runs `fn(...args)` if the circuit lets it, and waits for what it returns before judging it. Its result and its own
   * errors pass through untouched.
   *
   * The call ends when its promise settles, or, where that brings an async generator, when that has ended: its error counts,
   * and a consumer that stops early, or throws, cancels the call. Such a call lasts as long as the stream, with the time
   * that its consumer takes, and a probe succeeds only where its stream is read to the end. Streams of other makes are
   * guarded with {@link acquire}.
   *
   * @throws CircuitBreakerOpenError where the circuit did not let it run
   */
  call<Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args): Promise<Awaited<Result>> {
    return this.#calls.run(fn, undefined, args);
  }

  /** A function with the name, the length and the `this` of `fn` that makes each of its calls as {@link call} does. */
  wrap<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>> {
    checkFunction(fn);
    const calls = this.#calls;
    const wrapped = function (this: This, ...args: Args) {
      return calls.run(fn, this, args);
    };
    for (const property of ['name', 'length'] as const) {
      Object.defineProperty(wrapped, property, { value: fn[property], configurable: true });
    }
    return wrapped;
  }

  /**
   * Asks for a permit to make one call.
   *
   * @throws CircuitBreakerOpenError where the circuit rejects it
   */
  acquire(): Permit {
    return this.#calls.acquire();
  }

  /** The circuit's name. */
  get name(): string {
    return this.#config.name;
  }

  /** The configuration in force; frozen. */
  get config(): EffectiveConfig {
    return this.#config;
  }

  /** The state now; `half_open` also where the wait is over and nobody has called yet. */
  get state(): State {
    return this.#ask('state');
  }

  /** Who decides now. */
  get mode(): Mode {
    return this.#ask('mode');
  }

  /** Everything that can be read, at one moment; a plain object that is ready for JSON. */
  status(): Status {
    return statusOf(this.#config.name, this.#ask('status'), this.#wall);
  }

  /**
   * The last transitions, oldest first: those with a sequence number above `after`, at most 64.
   *
   * @throws InvalidValueError for what is no whole number of 0 or more
   */
  events(after = 0): TransitionEvent[] {
    if (!(Number.isInteger(after) && after >= 0)) {
      throw new InvalidValueError('after', show(after), 'a sequence number, or 0 for all');
    }
    return this.#eventsAfter(after);
  }

  /** How long the calls took that ended in success and in failure. */
  durations(): DurationsByOutcome {
    return durationsOf(this.#ask<DurationsRead[]>('durations'));
  }

  /**
   * The duration in seconds that this share (0 to 1) of the calls did not exceed which ended so; null before the first.
   * It is interpolated within its bucket as Prometheus' `histogram_quantile` does.
   *
   * @throws InvalidValueError for another share or outcome
   */
  percentile(share: number, outcome: 'success' | 'failure' = 'success'): number | null {
    return this.#ask('percentile', field('share', share), field('outcome', outcome));
  }

  /**
   * Whether the circuit holds nothing against the next calls: it is closed, without a failure streak, without a failure
   * or a slow call in its window, without an opening that would make the next wait longer, without a call in flight, a
   * listener or an operator's order.
   */
  isIdle(): boolean {
    return !this.#listeners.listening && this.#ask<boolean>('is_idle');
  }

  /**
   * Holds the circuit open for so many seconds, or until it is reset; a second order renews the first. When the time
   * is over, the next call is a probe.
   *
   * @param durationSeconds - above 0, at most one year
   * @throws InvalidValueError for another duration
   */
  forceOpen(durationSeconds?: number | null): void {
    this.#ask('force_open', field('durationSeconds', durationSeconds ?? null));
    this.#listeners.deliver();
  }

  /** Lets every call pass and judges none, until the circuit is reset or forced open. */
  disable(): void {
    this.#ask('disable');
    this.#listeners.deliver();
  }

  /** Closes the circuit and hands it back to the machine; lifetime counters stay. */
  reset(): void {
    this.#ask('reset');
    this.#listeners.deliver();
  }

  /**
   * Puts a whole new configuration in force: state, mode, counters and the running wait stay, thresholds hold from the
   * next event on, and a window whose shape changed starts empty. The name stays, since it identifies the circuit.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed; then nothing has changed
   */
  reconfigure(config: CircuitBreakerConfig): void {
    const fields = fieldsOf('config', config);
    this.#send(configuration(fields, 'reconfigure'), fields);
    this.#config = this.#configured();
  }

  /**
   * Whether a breaker made with `config` would have the configuration that is in force here.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  matches(config: CircuitBreakerConfig): boolean {
    const fields = fieldsOf('config', config);
    return this.#send(configuration(fields, 'matches'), fields);
  }

  /** What outlives this breaker, as a JSON document; a call in flight is saved as cancelled. */
  snapshot(): string {
    // Its names are the same in every language.
    return JSON.stringify(answered(this.#calls.operate(request('snapshot', [])), (name) => name));
  }

  /**
   * Goes on where a snapshot was taken: its state takes the place of this breaker's own, its counts are added.
   *
   * @throws InvalidValueError naming the part, for a document that is damaged, of another version, or in contradiction
   * with itself; then nothing has changed
   */
  restore(document: string): void {
    const refusal = answered(this.#calls.operate(request('restore', [field('snapshot', parsed(document))])));
    if (refusal instanceof Refusal) {
      throw new InvalidValueError(refusal.field, show(refusal.value), refusal.allowed);
    }
  }

  /** Says in one sentence why the circuit is as it is and what would change it. */
  explain(): string {
    return this.#ask('explain');
  }

  /** Calls `listener` with each further transition, after the change and in order; returns what ends that. */
  subscribe(listener: TransitionListener): () => boolean {
    checkFunction(listener);
    return this.#listeners.add(listener);
  }

  #eventsAfter(sequence: number): TransitionEvent[] {
    return this.#ask<EventRead[]>('events', field('after', sequence)).map((event) => eventOf(event, this.#wall));
  }

  /** What an operation answers that is given these fields. */
  #ask<Answer>(operation: string, ...fields: Field[]): Answer {
    return this.#send(request(operation, fields), fields);
  }

  #send<Answer>(bytes: Bytes, fields: readonly Field[]): Answer {
    return granted(this.#calls.operate(bytes), fields);
  }

  #configured(): EffectiveConfig {
    const config = this.#ask<EffectiveConfig>('config');
    Object.freeze(config.window);
    return Object.freeze(config);
  }
}

function parsed(document: unknown): unknown {
  try {
    return JSON.parse(document as string);
  } catch {
    throw new InvalidValueError('snapshot', show(document), 'a JSON document made by snapshot()');
  }
}

function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') {
    throw new InvalidValueError('fn', show(fn), 'a function');
  }
}
