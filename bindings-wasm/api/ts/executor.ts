/** The calls of one breaker: reads the clock, calls the core, and delivers transitions to listeners. */

import { connected, type HotPath, type JsBreaker } from './backend.js';
import type { CircuitBreaker } from './breaker.js';
import { type Classifier, classifyBy, classifyByShape, DEPTH_FOLLOWED, membersOf, type Signal } from './classify.js';
import { type Clock, type ClockSource, guardedSource } from './clock.js';
import { FAILURE, IGNORED, isProbe, NEEDS_TIME, NO_PERMIT, OUTCOMES, reasonOf, sharesPermit } from './codes.js';
import type { Outcome } from './enums.js';
import { CircuitBreakerOpenError } from './errors.js';
import { decodeOrThrow, type Fields, plain } from './host-values.js';
import { Listeners } from './listeners.js';
import type { HostOptions } from './options.js';
import { eventOf, type TransitionEvent, WallClock } from './status.js';

/** A call in flight. */
export interface Call {
  readonly permit: number;
  /** The clock that it began with; undefined if its beginning was not timed. */
  readonly clock: Clock | undefined;
  /** The breaker's count of calls when this one began. */
  readonly number: number;
  /** The same count when its function returned or reached its first `await`; the calls in between are nested in it. */
  lastInside: number;
  readonly signal: Signal | undefined;
}

/** An error that was counted as a failure. */
interface Failure {
  /** The number of the call that counted it last. */
  readonly call: number;
  /** Whether several calls counted it, none of them nested in another: it may be a constant. */
  readonly isShared: boolean;
}

/** Receives a breaker's calls, for a recorder; `millis` is NaN if the core reads the system's clock itself. */
export interface Observer {
  rejected(millis: number): void;
  settled(outcome: Outcome, millis: number, seconds: number, retryAfter: number | undefined): void;
}

/** The calls and readings of one breaker. */
export class Executor {
  readonly wall = new WallClock();
  readonly name: string;
  observer: Observer | undefined;
  /** Its breaker, if a registry has let it go. */
  released: WeakRef<CircuitBreaker> | undefined;
  readonly #classify: Classifier;
  readonly #capturesStack: boolean;
  readonly #core: JsBreaker;
  readonly #calls: HotPath;
  /** Undefined if the core reads the system's clock itself. */
  readonly #clock: ClockSource | undefined;
  /** Created with the first use, so that a call without listeners has nothing to ask. */
  #listeners: Listeners | undefined;
  /** Whether the core needs the time for every call. */
  #isTimed: boolean;
  /** How many probes are in flight. */
  probes = 0;
  /** How many calls have begun. */
  begun = 0;
  #failures: WeakMap<object, Failure> | undefined;
  #weakly: WeakRef<Executor> | undefined;

  /** @throws InvalidValueError naming the field, for a bad configuration */
  constructor(config: Fields, { clock, classify, captureStack, share }: HostOptions) {
    const create = share === undefined ? connected.create : (connected.share ?? connected.create);
    this.#classify = classify === undefined ? classifyByShape : classifyBy(classify);
    this.#capturesStack = captureStack ?? false;
    if (share === undefined) {
      this.#clock = clock === undefined ? connected.clock : guardedSource(clock);
    }
    // A user's clock may use another breaker, so it is read before the core is entered.
    const millis = timeBy(this.#clockFor());
    const { core, calls } = decodeOrThrow(() => {
      connected.checkStack();
      return create(plain(config), millis);
    }, config);
    this.#core = core;
    this.#calls = calls;
    this.#isTimed = core.timed();
    this.name = core.config().name;
  }

  /** Whether a value is an executor. Reads nothing of the value, which may be a proxy that throws. */
  static is(value: unknown): value is Executor {
    return typeof value === 'object' && value !== null && #core in value;
  }

  /** The clock for a call from its beginning to its end; undefined if a call does not need the time. */
  clockOfCall(): Clock | undefined {
    return this.#isTimed ? this.#clock?.() : undefined;
  }

  /** The number of a permit, or a code for {@link rejection}; `outer` is the permit of the outer call. */
  enter(clock: Clock | undefined, outer?: number): number {
    let millis = timeBy(outer === undefined ? clock : this.#clockFor(clock));
    let permit = this.#calls.enter(millis, outer ?? NO_PERMIT);
    if (permit === NEEDS_TIME) {
      millis = timeBy(this.#clockFor(clock));
      permit = this.#calls.enter(millis, NO_PERMIT);
    }
    // After a rejection no host code may run before `rejection` reads its wait.
    if (permit >= 0) {
      if (isProbe(permit)) {
        this.probes += 1;
      }
      this.#listeners?.deliver();
    } else {
      this.observer?.rejected(millis);
    }
    return permit;
  }

  /** Settles a permit; false if it was settled before. */
  settle(permit: number, outcome: number, clock?: Clock): boolean {
    if (this.observer !== undefined) {
      return this.#settleObserved(permit, outcome, clock);
    }
    let settled = this.#calls.settle(permit, outcome, timeBy(clock));
    if (settled === NEEDS_TIME) {
      settled = this.#calls.settle(permit, outcome, timeBy(this.#clockFor(clock)));
    }
    return this.#ended(permit, settled > 0);
  }

  /**
   * Settles a permit with a failure whose provider asked for a wait of this many seconds.
   *
   * @throws InvalidValueError unless `retryAfter` is a number of seconds
   */
  fail(permit: number, retryAfter: unknown, clock?: Clock): boolean {
    const given = { retryAfter };
    const fail = (core: JsBreaker, millis: number) => {
      const settle = () => core.fail(permit, plain(retryAfter), millis);
      return this.#observed('failure', permit, millis, settle, retryAfter as number);
    };
    const settled = this.ask(fail, given, clock);
    return this.#ended(permit, settled);
  }

  /** Stops a call's duration while the consumer of its stream works, or lets it run on. */
  pause(permit: number, isPaused: boolean, clock?: Clock): void {
    connected.checkStack();
    this.#core.pause(permit, isPaused, timeBy(clock ?? this.clockOfCall()));
  }

  /**
   * Calls any other method of the core's breaker.
   *
   * @throws InvalidValueError if the core refuses one of the values `given`
   */
  ask<Answer>(ask: (core: JsBreaker, millis: number) => Answer, given?: Fields, clock?: Clock): Answer {
    const millis = timeBy(this.#clockFor(clock));
    return decodeOrThrow(() => {
      connected.checkStack();
      return ask(this.#core, millis);
    }, given);
  }

  /** As {@link ask}, for methods that may change it. */
  order<Answer>(order: (core: JsBreaker, millis: number) => Answer, given?: Fields): Answer {
    const answer = this.ask(order, given);
    this.#isTimed = this.#core.timed();
    this.#listeners?.deliver();
    return answer;
  }

  /** Those to tell about transitions. */
  get listeners(): Listeners {
    this.#listeners ??= new Listeners((after) => this.eventsAfter(after), this.#core.watch);
    return this.#listeners;
  }

  /** Whether replacing the breaker with a new one would lose nothing. */
  isIdle(): boolean {
    return this.#listeners?.isEmpty !== false && this.ask((core, millis) => core.idle(millis));
  }

  /** The kept transitions with a higher sequence number. */
  eventsAfter(sequence: number): TransitionEvent[] {
    return this.ask((core, millis) => {
      const origin = this.wall.originOf(Number.isNaN(millis) ? core.status(millis).nowSeconds : millis / 1000);
      return core.events(sequence).map((event) => eventOf(event, origin));
    });
  }

  /** The error for the call that was rejected last. */
  rejection(code: number): CircuitBreakerOpenError {
    const wait = this.#core.wait();
    const make = () => new CircuitBreakerOpenError(this.name, reasonOf(code), wait < 0 ? null : wait);
    return this.#capturesStack ? make() : withoutStack(make);
  }

  /**
   * The outcome of a call that failed. One error that passes through several nested calls of this breaker is one
   * failure: the innermost call counts it.
   *
   * After an `await`, knowing which calls were made inside this one would cost something in each call. A call that
   * began later and has already counted the same error is therefore treated as nested, unless the error is shared.
   */
  outcomeOf(error: unknown, call: Call): number {
    if (this.#hasCounted(error, call)) {
      return IGNORED;
    }
    const outcome = this.#classify(error, call.signal);
    if (outcome === FAILURE && isObject(error) && !sharesPermit(call.permit)) {
      this.#failures ??= new WeakMap();
      this.#failures.set(error, { call: call.number, isShared: this.#failures.has(error) });
    }
    return outcome;
  }

  /** For holders that must not keep a breaker alive. */
  get weakly(): WeakRef<Executor> {
    this.#weakly ??= new WeakRef(this);
    return this.#weakly;
  }

  /** Whether a call inside this one has counted the error, or each member of a group that is a failure. */
  #hasCounted(error: unknown, call: Call, depth = 0): boolean {
    const failures = this.#failures;
    if (failures === undefined || !isObject(error)) {
      return false;
    }
    const counted = failures.get(error);
    if (counted !== undefined && counted.call > call.number) {
      return counted.call <= call.lastInside || !counted.isShared;
    }
    let anyCounted = false;
    for (const member of depth < DEPTH_FOLLOWED ? membersOf(error) : []) {
      if (this.#hasCounted(member, call, depth + 1)) {
        anyCounted = true;
      } else if (this.#classify(member, call.signal) === FAILURE) {
        return false;
      }
    }
    return anyCounted;
  }

  // Not a part of `settle`, which would be slower with a closure in it.
  #settleObserved(permit: number, outcome: number, clock: Clock | undefined): boolean {
    const millis = timeBy(this.#clockFor(clock));
    const settle = () => this.#calls.settle(permit, outcome, millis) > 0;
    return this.#ended(permit, this.#observed(OUTCOMES[outcome] as Outcome, permit, millis, settle));
  }

  /** Settles a permit by `settle`, and tells the observer. */
  #observed(outcome: Outcome, permit: number, millis: number, settle: () => boolean, retryAfter?: number): boolean {
    connected.checkStack();
    const seconds = this.observer === undefined ? 0 : this.#core.lasted(permit, millis);
    const settled = settle();
    // A call that shares the permit of another one is not counted.
    if (settled && !sharesPermit(permit)) {
      this.observer?.settled(outcome, millis, seconds, retryAfter);
    }
    return settled;
  }

  #ended(permit: number, settled: boolean): boolean {
    if (settled && isProbe(permit)) {
      this.probes -= 1;
    }
    this.#listeners?.deliver();
    return settled;
  }

  /** The clock of a call, or the one that is found now. */
  #clockFor(clock?: Clock): Clock | undefined {
    return clock ?? this.#clock?.();
  }
}

/** The time by this clock; NaN without one. */
function timeBy(clock: Clock | undefined): number {
  return clock === undefined ? Number.NaN : clock.now();
}

function isObject(error: unknown): error is object {
  return (typeof error === 'object' && error !== null) || typeof error === 'function';
}

/** Calls `make` with V8's stack capture off, because a capture takes longer than a guarded call. */
function withoutStack<Made>(make: () => Made): Made {
  const errors = Error as { stackTraceLimit?: unknown };
  const limit = errors.stackTraceLimit;
  if (typeof limit !== 'number') {
    // Other engines have no such limit.
    return make();
  }
  try {
    errors.stackTraceLimit = 0;
  } catch {
    // A hardened host has frozen it.
    return make();
  }
  try {
    return make();
  } finally {
    errors.stackTraceLimit = limit;
  }
}
