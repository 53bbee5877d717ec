/** The calls of one breaker: reads the clock, calls the core, and delivers transitions to listeners. */

import { type Backend, type Circuit, connectedBackend } from './backend.js';
import type { Classifier, Signal } from './classify.js';
import { type Clock, GuardedClock } from './clock.js';
import { FAILURE, IGNORED, isProbe, isRider, NEEDS_TIME, reasonOf } from './codes.js';
import { CircuitBreakerOpenError, withoutStack } from './errors.js';
import { decodeOrThrow, type Fields, field, plain, plainFields } from './host-values.js';
import { Listeners } from './listeners.js';
import { eventOf, type TransitionEvent, WallClock } from './status.js';

/** The options of a breaker besides its configuration. */
export interface Setup {
  readonly clock: Clock | undefined;
  readonly classify: Classifier;
  readonly captureStack: boolean;
  readonly share: 'threads' | undefined;
}

/** A call in flight. */
export interface Call {
  readonly permit: number;
  /** The breaker's count of calls when this one began. */
  readonly number: number;
  /** The same count when its function returned or reached its first `await`; the calls in between are nested in it. */
  lastInside: number;
  readonly signal: Signal | undefined;
}

/** How much stack the core needs beyond one frame of 4.5 KB (`stack.rs`), in such frames: for a call, and for all else. */
const CALL_FRAMES = 0;
const ORDER_FRAMES = 4;

/** The calls and readings of one breaker. */
export class Executor {
  readonly listeners: Listeners;
  readonly wall = new WallClock();
  /** Whether other threads may change the circuit. */
  readonly isShared: boolean;
  readonly name: string;
  readonly #setup: Setup;
  readonly #circuit: Circuit;
  /** Undefined if the circuit reads the system's clock itself. */
  readonly #clock: Clock | undefined;
  readonly #checkStack: (frames: number) => void;
  /** Whether the circuit needs the time for every call. */
  #isTimed: boolean;
  /** How many probes are in flight. */
  probes = 0;
  /** How many calls have begun. */
  begun = 0;
  /** The errors that were counted as failures, each with the number of its call. */
  #failures: WeakMap<object, number> | undefined;
  #weakly: WeakRef<Executor> | undefined;

  /** @throws InvalidValueError naming the field, for a bad configuration */
  constructor(config: Fields, setup: Setup) {
    const backend = connectedBackend();
    const { clock, share } = setup;
    this.#setup = setup;
    this.#checkStack = backend.checkStack ?? checkOwnStack;
    this.isShared = share !== undefined;
    this.#clock = this.isShared ? undefined : clockOf(clock, backend);
    // A user's clock may use another circuit, so it is read before the core is entered.
    const millis = this.#now();
    this.#circuit = decodeOrThrow(() => {
      this.#checkStack(ORDER_FRAMES);
      const fields = plainFields(config);
      return this.isShared ? (backend.createShared as Shares)(fields) : backend.create(fields, millis);
    }, config);
    this.#isTimed = this.#needsTime();
    this.name = this.#circuit.config().name;
    const watch = this.isShared ? this.#circuit.watch?.bind(this.#circuit) : undefined;
    this.listeners = new Listeners((after) => this.eventsAfter(after), watch);
  }

  /** The number of a permit, or a code for {@link rejection}; `outer` is the permit of the outer call. */
  enter(outer?: number): number {
    const permit = this.#enter(outer);
    // After a rejection no host code may run before `rejection` reads its wait.
    if (permit >= 0) {
      if (isProbe(permit)) {
        this.probes += 1;
      }
      this.listeners.deliver();
    }
    return permit;
  }

  #enter(outer: number | undefined): number {
    this.#checkStack(CALL_FRAMES);
    if (outer !== undefined) {
      return this.#circuit.enterInside(outer, this.#now());
    }
    if (!this.#isTimed) {
      const permit = this.#circuit.enter(Number.NaN);
      if (permit !== NEEDS_TIME) {
        return permit;
      }
    }
    return this.#circuit.enter(this.#now());
  }

  /** Settles a permit; false if it was settled before. */
  settle(permit: number, outcome: number): boolean {
    const settled = this.#ended(permit, this.#settle(permit, outcome) > 0);
    this.listeners.deliver();
    return settled;
  }

  #settle(permit: number, outcome: number): number {
    this.#checkStack(CALL_FRAMES);
    if (!this.#isTimed) {
      const settled = this.#circuit.settle(permit, outcome, Number.NaN);
      if (settled !== NEEDS_TIME) {
        return settled;
      }
    }
    return this.#circuit.settle(permit, outcome, this.#now());
  }

  /**
   * Settles a permit with a failure whose provider asked for a wait of so many seconds.
   *
   * @throws InvalidValueError unless `retryAfter` is a number of seconds
   */
  fail(permit: number, retryAfter: unknown): boolean {
    const given = field('retryAfterSeconds', retryAfter);
    const settled = this.#ended(
      permit,
      this.ask((circuit, millis) => circuit.fail(permit, plain(retryAfter), millis), given),
    );
    this.listeners.deliver();
    return settled;
  }

  /** Stops a call's duration while the consumer of its stream works. */
  pause(permit: number): void {
    if (this.#isTimed) {
      this.#checkStack(CALL_FRAMES);
      this.#circuit.pause(permit, this.#now());
    }
  }

  /** Lets the duration run on. */
  resume(permit: number): void {
    if (this.#isTimed) {
      this.#checkStack(CALL_FRAMES);
      this.#circuit.resume(permit, this.#now());
    }
  }

  /**
   * Calls any other method of the circuit.
   *
   * @throws InvalidValueError if the core refuses one of the values `given`
   */
  ask<Answer>(ask: (circuit: Circuit, millis: number) => Answer, given?: Fields): Answer {
    const millis = this.#now();
    return decodeOrThrow(() => {
      this.#checkStack(ORDER_FRAMES);
      return ask(this.#circuit, millis);
    }, given);
  }

  /** As {@link ask}, for methods that may change the circuit. */
  order<Answer>(order: (circuit: Circuit, millis: number) => Answer, given?: Fields): Answer {
    const answer = this.ask(order, given);
    this.#isTimed = this.#needsTime();
    this.listeners.deliver();
    return answer;
  }

  /** The kept transitions with a higher sequence number. */
  eventsAfter(sequence: number): TransitionEvent[] {
    return this.ask((circuit, millis) => {
      const origin = this.wall.originOf(Number.isNaN(millis) ? circuit.status(millis).nowSeconds : millis / 1000);
      return circuit.events(sequence).map((event) => eventOf(event, origin));
    });
  }

  /** The error for the call that was rejected last. */
  rejection(code: number): CircuitBreakerOpenError {
    const wait = this.#circuit.retryAfter();
    const make = () => new CircuitBreakerOpenError(this.name, reasonOf(code), wait < 0 ? null : wait);
    return this.#setup.captureStack ? make() : withoutStack(make);
  }

  /**
   * The outcome of a call that failed. One error that passes through several nested calls of this breaker is one
   * failure: the innermost call counts it.
   */
  outcomeOf(error: unknown, call: Call): number {
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
    const counted = isObject ? this.#failures?.get(error) : undefined;
    if (counted !== undefined && counted > call.number && counted <= call.lastInside) {
      return IGNORED;
    }
    const outcome = this.#setup.classify(error, call.signal);
    if (isObject && outcome === FAILURE && !isRider(call.permit)) {
      this.#failures ??= new WeakMap();
      this.#failures.set(error, call.number);
    }
    return outcome;
  }

  /** For holders that must not keep a breaker alive. */
  get weakly(): WeakRef<Executor> {
    this.#weakly ??= new WeakRef(this);
    return this.#weakly;
  }

  /** Always true for a shared circuit, because another thread may change its configuration; it reads its own clock. */
  #needsTime(): boolean {
    return this.isShared || this.#circuit.isTimed();
  }

  #ended(permit: number, settled: boolean): boolean {
    if (settled && isProbe(permit)) {
      this.probes -= 1;
    }
    return settled;
  }

  #now(): number {
    return this.#clock === undefined ? Number.NaN : this.#clock.now();
  }
}

/** Undefined if the circuit reads the system's clock itself. */
function clockOf(clock: Clock | undefined, backend: Backend): Clock | undefined {
  return clock === undefined ? backend.clock : new GuardedClock(clock, backend.latestMillis);
}

type Shares = NonNullable<Backend['createShared']>;

/** How many frames of JavaScript take as much of the stack as one of the core's. */
const OWN_FRAMES = 8;

/** For the native build, which needs no check, while the JavaScript between an enter and its settle does. */
function checkOwnStack(frames: number, own = OWN_FRAMES * (frames + 1)): void {
  if (own > 0) {
    checkOwnStack(frames, own - 1);
  }
}
