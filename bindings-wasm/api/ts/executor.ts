/** Takes calls into a circuit and out of it: where the core is told the time, and the host is told what happened. */

import { type Backend, type Circuit, connectedBackend } from './backend.js';
import type { Classifier, Signal } from './classify.js';
import { type Clock, GuardedClock } from './clock.js';
import { FAILURE, IGNORED, isProbe, isRider, NEEDS_TIME, reasonOf } from './codes.js';
import { CircuitBreakerOpenError, withoutStack } from './errors.js';
import { decodeOrThrow, type Fields, field, plain, plainFields } from './host-values.js';
import { Listeners } from './listeners.js';
import { eventOf, type TransitionEvent, WallClock } from './status.js';

/** What a breaker was made with besides its configuration. */
export interface Setup {
  readonly clock: Clock | undefined;
  readonly classify: Classifier;
  readonly captureStack: boolean;
  readonly share: 'threads' | undefined;
}

/** A call under way. */
export interface Call {
  readonly permit: number;
  /** How many calls of this breaker had begun with it, */
  readonly number: number;
  /** and how many when its function returned for the first time: those between are made inside it. */
  lastInside: number;
  readonly signal: Signal | undefined;
}

/** The stack that the core needs, in frames of half a kilobyte (`stack.rs`): for a call, and for everything else. */
const CALL_FRAMES = 8;
const ORDER_FRAMES = 40;

/** The calls and readings of one breaker. */
export class Executor {
  readonly listeners: Listeners;
  readonly wall = new WallClock();
  /** Whether other threads may change the circuit. */
  readonly isShared: boolean;
  readonly name: string;
  readonly #setup: Setup;
  readonly #circuit: Circuit;
  /** Undefined where the circuit reads a clock of its own. */
  readonly #clock: Clock | undefined;
  readonly #checkStack: (frames: number) => void;
  /** Whether the circuit needs the time for every call. */
  #isTimed: boolean;
  /** How many probes are out. */
  probes = 0;
  /** How many calls have begun. */
  begun = 0;
  /** Of each error that was counted as a failure, the number of the call that it was counted for. */
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

  /** The number of a permit, or a code that {@link rejection} makes an error of; `outer` is the call that it is made inside. */
  enter(outer?: number): number {
    const permit = this.#enter(outer);
    // No host code may run before the wait of a rejection is read.
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

  /** Settles a permit; false where that was done before. */
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
   * Settles a permit with a failure that asked to be left alone for so many seconds.
   *
   * @throws InvalidValueError for what is no number of seconds
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

  /** Begins a time in which the provider has no part: one that the consumer of a stream takes. */
  pause(permit: number): void {
    if (this.#isTimed) {
      this.#checkStack(CALL_FRAMES);
      this.#circuit.pause(permit, this.#now());
    }
  }

  /** Ends that time. */
  resume(permit: number): void {
    if (this.#isTimed) {
      this.#checkStack(CALL_FRAMES);
      this.#circuit.resume(permit, this.#now());
    }
  }

  /**
   * Asks anything else.
   *
   * @throws InvalidValueError where the core refuses a value of those `given`
   */
  ask<Answer>(ask: (circuit: Circuit, millis: number) => Answer, given?: Fields): Answer {
    const millis = this.#now();
    return decodeOrThrow(() => {
      this.#checkStack(ORDER_FRAMES);
      return ask(this.#circuit, millis);
    }, given);
  }

  /** As {@link ask}, for what may change the circuit. */
  order<Answer>(order: (circuit: Circuit, millis: number) => Answer, given?: Fields): Answer {
    const answer = this.ask(order, given);
    this.#isTimed = this.#needsTime();
    this.listeners.deliver();
    return answer;
  }

  /** The kept transitions after that one. */
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
   * What the error of a call means. One error that passes through several calls of this breaker, each made inside the one
   * before, is one failure, and it is the innermost that counts it.
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

  /** For those who must not keep a breaker alive. */
  get weakly(): WeakRef<Executor> {
    this.#weakly ??= new WeakRef(this);
    return this.#weakly;
  }

  /** A shared circuit may at any time, because another thread may configure it so; it reads its own clock. */
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

/** Undefined where the circuit reads the system's clock itself. */
function clockOf(clock: Clock | undefined, backend: Backend): Clock | undefined {
  return clock === undefined ? backend.clock : new GuardedClock(clock, backend.latestMillis);
}

type Shares = NonNullable<Backend['createShared']>;

/** A build that needs no check itself is called, and settled, from JavaScript, which does. */
function checkOwnStack(frames: number): void {
  if (frames > 0) {
    checkOwnStack(frames - 1);
  }
}
