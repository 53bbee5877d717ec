/** The circuit breaker: the core's decisions, and what needs JavaScript's own promises. */

import { type Backend, isRefusal, provider, type Refusal } from './backend.js';
import { HostClock } from './clock.js';
import { type CircuitBreakerConfig, crossing, type EffectiveConfig, fieldsOf, refused } from './config.js';
import { CircuitBreakerOpenError, InvalidValueError } from './errors.js';
import { judgeBy, judgeByName } from './judge.js';
import { Listeners, type TransitionListener } from './listeners.js';
import { objectOf } from './names.js';
import { type CircuitBreakerOptions, optionsOf } from './options.js';
import { SUCCESS } from './outcome.js';
import { type Permit, permitsOf, type Settle } from './permit.js';
import { type Field, field } from './properties.js';
import { show } from './show.js';
import {
  type DurationsByOutcome,
  durationsOf,
  eventOf,
  type Status,
  statusOf,
  type TransitionEvent,
  WallClock,
} from './status.js';
import { decoded, encoded } from './structure.js';
import type { Mode, Reason, State } from './vocabulary.js';

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
  readonly #backend: Backend;
  readonly #clock: HostClock | null;
  readonly #judge: (error: unknown) => number;
  #config: EffectiveConfig;
  readonly #wall: WallClock;
  readonly #listeners = new Listeners((after) => this.events(after));
  readonly #settle: Settle = (ticket, outcome, retryAfter) => {
    const settled = retryAfter === undefined ? this.#told().settle(ticket, outcome) : this.#fail(ticket, retryAfter);
    this.#listeners.deliver();
    return settled;
  };
  readonly #permit = permitsOf(this.#settle);

  /**
   * A closed circuit.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  constructor(config: CircuitBreakerConfig = {}, options: CircuitBreakerOptions = {}) {
    const { clock, classify } = optionsOf(options);
    const build = provider();
    const source = clock ?? build.clock;
    const fields = fieldsOf('config', config);
    const made = build.create(crossing(fields), source !== null);
    if (isRefusal(made)) {
      throw refused(made, fields);
    }
    this.#backend = made;
    this.#clock = source === null ? null : new HostClock(source);
    this.#judge = classify === undefined ? judgeByName : judgeBy(classify);
    this.#config = configOf(made);
    this.#wall = new WallClock(objectOf<Status>(this.#told().status()).nowSeconds);
  }

  /**
   * Runs `fn(...args)` if the circuit lets it, and waits for what it returns before judging it. Its result and its own
   * errors pass through untouched.
   *
   * The call ends when its promise settles: guard what you stream with {@link acquire}, until the stream has ended.
   *
   * @throws CircuitBreakerOpenError where the circuit did not let it run
   */
  call<Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args): Promise<Awaited<Result>> {
    return this.#run(fn, undefined, args);
  }

  /** A function with the name, the length and the `this` of `fn` that makes each of its calls as {@link call} does. */
  wrap<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>> {
    checkFunction(fn);
    const run = (self: This, args: Args) => this.#run(fn, self, args);
    const wrapped = function (this: This, ...args: Args) {
      return run(this, args);
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
    return this.#permit(this.#enter());
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
    return this.#told().state() as State;
  }

  /** Who decides now. */
  get mode(): Mode {
    return this.#told().mode() as Mode;
  }

  /** Everything that can be read, at one moment; a plain object that is ready for JSON. */
  status(): Status {
    return statusOf(this.name, this.#told(), this.#wall);
  }

  /**
   * The last transitions, oldest first: those with a sequence number above `after`, at most 64.
   *
   * @throws InvalidValueError for what is no number of 0 or more
   */
  events(after = 0): TransitionEvent[] {
    if (!(typeof after === 'number' && after >= 0)) {
      throw new InvalidValueError('after', show(after), 'a sequence number, or 0 for all');
    }
    return this.#backend.events(after).map((flat) => eventOf(flat, this.#wall));
  }

  /** How long the calls took that ended in success and in failure. */
  durations(): DurationsByOutcome {
    return durationsOf(this.#backend);
  }

  /**
   * The duration in seconds that this share (0 to 1) of the calls did not exceed which ended so; null before the first.
   * It is interpolated within its bucket as Prometheus' `histogram_quantile` does.
   *
   * @throws InvalidValueError for another share or outcome
   */
  percentile(share: number, outcome: 'success' | 'failure' = 'success'): number | null {
    const fields = [field('share', share), field('outcome', outcome)];
    const [, seconds, , ending] = crossing(fields);
    return this.#granted(this.#backend.percentile(seconds, ending), fields);
  }

  /**
   * Whether the circuit holds nothing against the next calls: it is closed, without a failure streak, without a failure
   * or a slow call in its window, without an opening that would make the next wait longer, without a call in flight, a
   * listener or an operator's order.
   */
  isIdle(): boolean {
    return this.#told().isIdle() && this.#listeners.isEmpty;
  }

  /**
   * Holds the circuit open for so many seconds, or until it is reset; a second order renews the first. When the time
   * is over, the next call is a probe.
   *
   * @param durationSeconds - above 0, at most one year
   * @throws InvalidValueError for another duration
   */
  forceOpen(durationSeconds?: number | null): void {
    const fields = [field('durationSeconds', durationSeconds ?? null)];
    this.#order((backend) => backend.forceOpen(crossing(fields)[1]), fields);
  }

  /** Lets every call pass and judges none, until the circuit is reset or forced open. */
  disable(): void {
    this.#told().disable();
    this.#listeners.deliver();
  }

  /** Closes the circuit and hands it back to the machine; lifetime counters stay. */
  reset(): void {
    this.#told().reset();
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
    this.#order((backend) => backend.reconfigure(crossing(fields)), fields);
    this.#config = configOf(this.#backend);
  }

  /**
   * Whether a breaker made with `config` would have the configuration that is in force here.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   */
  matches(config: CircuitBreakerConfig): boolean {
    const fields = fieldsOf('config', config);
    return this.#granted(this.#backend.matches(crossing(fields)), fields);
  }

  /** What outlives this breaker, as a JSON document; a call in flight is saved as cancelled. */
  snapshot(): string {
    return JSON.stringify(decoded(this.#told().snapshot()));
  }

  /**
   * Goes on where a snapshot was taken: its state takes the place of this breaker's own, its counts are added.
   *
   * @throws InvalidValueError naming the part, for a document that is damaged, of another version, or in contradiction
   * with itself; then nothing has changed
   */
  restore(document: string): void {
    const refusal = this.#told().restore(encoded(parsed(document)));
    if (refusal !== null) {
      const [part, allowed, value] = refusal;
      throw new InvalidValueError(part, show(decoded(value)), allowed);
    }
  }

  /** Says in one sentence why the circuit is as it is and what would change it. */
  explain(): string {
    return this.#told().explain();
  }

  /** Calls `listener` with each further transition, after the change and in order; returns what ends that. */
  subscribe(listener: TransitionListener): () => boolean {
    checkFunction(listener);
    return this.#listeners.add(listener);
  }

  async #run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    self: This,
    args: Args,
  ): Promise<Awaited<Result>> {
    checkFunction(fn);
    const ticket = this.#enter();
    let result: Awaited<Result>;
    try {
      result = await Reflect.apply(fn, self, args);
    } catch (error) {
      this.#settle(ticket, this.#judge(error));
      throw error;
    }
    this.#settle(ticket, SUCCESS);
    return result;
  }

  /** The number of a ticket. */
  #enter(): number {
    const ticket = this.#told().enter();
    if (ticket < 0) {
      // No host code has run since, so this is its own rejection.
      const [reason, retryAfter] = this.#backend.rejection() ?? [];
      throw new CircuitBreakerOpenError(this.name, reason as Reason, retryAfter ?? null);
    }
    this.#listeners.deliver();
    return ticket;
  }

  #fail(ticket: number, retryAfter: number): boolean {
    const fields = [field('retryAfterSeconds', retryAfter)];
    return this.#granted(this.#told().fail(ticket, crossing(fields)[1]), fields);
  }

  #granted<Answer>(answer: Answer | Refusal, fields: readonly Field[]): Answer {
    if (isRefusal(answer)) {
      throw refused(answer, fields);
    }
    return answer;
  }

  #order(order: (backend: Backend) => Refusal | null, fields: readonly Field[]): void {
    const refusal = order(this.#told());
    if (refusal !== null) {
      throw refused(refusal, fields);
    }
    this.#listeners.deliver();
  }

  /** The core, which has just been told the time. */
  #told(): Backend {
    this.#clock?.tell(this.#backend);
    return this.#backend;
  }
}

function configOf(backend: Backend): EffectiveConfig {
  const config = objectOf<EffectiveConfig>(backend.config());
  Object.freeze(config.window);
  return Object.freeze(config);
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
