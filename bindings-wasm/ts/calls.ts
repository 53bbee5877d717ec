/** The way of every guarded call: in, through the host's function, and out. */

import type { Bytes, Circuit } from './circuit.js';
import { Endings } from './endings.js';
import { CircuitBreakerOpenError, InvalidValueError, withoutStack } from './errors.js';
import type { Judge } from './judge.js';
import type { Listeners } from './listeners.js';
import { welcome } from './newcomers.js';
import { CANCELLED, REASONS } from './numbers.js';
import { Permit } from './permit.js';
import { field } from './properties.js';
import { granted } from './refused.js';
import { show } from './show.js';
import { guard } from './streams.js';
import type { Reason } from './vocabulary.js';
import { request } from './wire.js';

// Kept from the start: who patches promises later, or puts others in their place, does not patch a breaker.
const Own = Promise;
const { then } = Own.prototype;
const { apply } = Reflect;
const done = Own.resolve();

/** Stands for the error of a call that was never made. */
const UNUSED = Symbol('unused');

/** The calls of one breaker. */
export class Calls {
  readonly #name: () => string;
  readonly #circuit: Circuit;
  readonly #judge: Judge;
  readonly #listeners: Listeners;
  readonly #endings: Endings;
  /**
   * Calls that have ended and are not settled yet: in turn a ticket, and the error that its call ended with. In one array,
   * and written to without a call or a new object, because where the stack is full there is room for neither.
   */
  readonly #owed: unknown[] = [];
  #paying = false;
  #weakly: WeakRef<Calls> | undefined;

  constructor(name: () => string, circuit: Circuit, judge: Judge, listeners: Listeners) {
    this.#name = name;
    this.#circuit = circuit;
    this.#judge = judge;
    this.#listeners = listeners;
    this.#endings = new Endings(this, judge);
  }

  /** Runs `fn`, if the circuit lets it; never throws. */
  run<This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
    self: This,
    args: Args,
  ): Promise<Awaited<Result>> {
    if (typeof fn !== 'function') {
      return rejected(new InvalidValueError('fn', show(fn), 'a function'));
    }
    const ticket = this.enter();
    if (ticket < 0) {
      return rejected(this.rejection(ticket));
    }
    try {
      // As `await` does it, without the cost of an async function: whatever thenable comes back is waited for.
      const result = Own.resolve(apply(fn, self, args));
      const { success, failure } = this.#endings.of(ticket);
      // The language's own, which calls back once whatever the result has under that name.
      return then.call(result, success, failure) as Promise<Awaited<Result>>;
    } catch (error) {
      this.#owed[this.#owed.length] = ticket;
      this.#owed[this.#owed.length] = error;
      this.#pay();
      return rejected(error);
    }
  }

  /**
   * A permit to make one call.
   *
   * @throws CircuitBreakerOpenError where the circuit rejects it
   */
  acquire(): Permit {
    const ticket = this.enter();
    if (ticket < 0) {
      throw this.rejection(ticket);
    }
    try {
      const permit = new Permit(this, ticket);
      welcome(permit);
      return permit;
    } catch (error) {
      // Nobody has the permit.
      this.#owed[this.#owed.length] = ticket;
      this.#owed[this.#owed.length] = UNUSED;
      throw error;
    }
  }

  /** Lets the stream that a call returned hold its permit, until it ends or is collected. */
  watch(ticket: number, stream: AsyncGenerator): void {
    const permit = new Permit(this, ticket);
    try {
      guard(stream, permit, this.#judge);
      permit.watch();
    } catch {
      // It lets nobody look on, so the call has ended with it.
      permit.success();
    }
  }

  /** Settles what is owed, if nobody does it already. Where the stack is full, what is left waits for who comes next. */
  #pay(): void {
    if (this.#paying) {
      return;
    }
    this.#paying = true;
    try {
      while (this.#owed.length > 0) {
        const error = this.#owed[1];
        // To settle a ticket twice does no harm.
        this.settle(this.#owed[0] as number, error === UNUSED ? CANCELLED : this.#judge(error));
        this.#owed.splice(0, 2);
      }
    } finally {
      this.#paying = false;
    }
  }

  /** The number of a ticket, or a negative one that {@link rejection} knows. */
  enter(): number {
    if (this.#owed.length > 0) {
      this.#pay();
    }
    const ticket = this.#circuit.enter();
    // A rejection changes nothing, and no host code may run before it is read.
    if (ticket >= 0 && this.#listeners.listening) {
      try {
        this.#listeners.deliver();
      } catch {
        // The stack is full: they are told later.
      }
    }
    return ticket;
  }

  /** Answers a request, as {@link Circuit} does. */
  operate(request: Bytes): Uint8Array {
    if (this.#owed.length > 0) {
      this.#pay();
    }
    return this.#circuit.operate(request);
  }

  /** Gives a ticket back; false where that was done before. */
  settle(ticket: number, outcome: number): boolean {
    const settled = this.#circuit.settle(ticket, outcome);
    if (this.#listeners.listening) {
      this.#listeners.deliver();
    }
    return settled > 0;
  }

  /**
   * As {@link settle} with a failure that asked to be left alone for so many seconds.
   *
   * @throws InvalidValueError for what is no number of seconds
   */
  fail(ticket: number, retryAfter: number): boolean {
    const fields = [field('ticket', ticket), field('retryAfterSeconds', retryAfter)];
    const settled = granted<boolean>(this.operate(request('fail', fields)), fields);
    this.#listeners.deliver();
    return settled;
  }

  /** For who has to know the calls, and must not keep them. */
  get weakly(): WeakRef<Calls> {
    this.#weakly ??= new WeakRef(this);
    return this.#weakly;
  }

  /** The error for the call that was rejected last. */
  rejection(code: number): CircuitBreakerOpenError {
    const wait = this.#circuit.wait();
    const reason = REASONS[-2 - code] as Reason;
    return withoutStack(() => new CircuitBreakerOpenError(this.#name(), reason, wait < 0 ? null : wait));
  }
}

/**
 * A promise that is rejected when the caller, who has it in hand by then, had time to say what becomes of that: for a
 * rejection that nobody handles yet a host keeps books, and that would cost more than all else here.
 */
function rejected(error: unknown): Promise<never> {
  return new Own((_, reject) => {
    then.call(done, () => reject(error));
  });
}
