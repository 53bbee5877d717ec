/// <reference lib="esnext.disposable" preserve="true" />

/** The leave to make one call. */

import type { Calls } from './calls.js';
import { CANCELLED, FAILURE, IGNORED, SUCCESS } from './numbers.js';

/** `Symbol.dispose`, or what compilers of `using` fall back to where a runtime lacks it. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/**
 * A permit to make one call, which has to say how the call ended.
 *
 * The first method that settles it counts; each returns whether it was the first. A permit that is disposed of
 * unsettled, or collected as garbage, is settled as cancelled.
 */
export class Permit implements Disposable {
  readonly #calls: Calls;
  readonly #ticket: number;
  #open = true;
  #watched = false;

  /** @internal */
  constructor(calls: Calls, ticket: number) {
    this.#calls = calls;
    this.#ticket = ticket;
  }

  /** The call did what was asked. */
  success(): boolean {
    return this.end(SUCCESS);
  }

  /**
   * The call failed, and the provider is to blame.
   *
   * @param retryAfter - how long it asked to be left alone, in seconds; it can make the wait longer
   * @throws InvalidValueError for what is no number of seconds
   */
  failure(retryAfter?: number): boolean {
    return retryAfter === undefined ? this.end(FAILURE) : this.#ended(this.#calls.fail(this.#ticket, retryAfter));
  }

  /** The call failed, and that says nothing about the provider. */
  ignore(): boolean {
    return this.end(IGNORED);
  }

  /** The call was given up before it ended. */
  cancel(): boolean {
    return this.end(CANCELLED);
  }

  /** At the end of a `using` block: the same as {@link cancel}. */
  [dispose](): void {
    this.cancel();
  }

  /** @internal */
  watch(): void {
    if (this.#open && !this.#watched) {
      forgotten?.register(this, { calls: this.#calls.weakly, ticket: this.#ticket }, this);
      // Last, because what comes before may find the stack full.
      this.#watched = true;
    }
  }

  /** @internal */
  end(outcome: number): boolean {
    return this.#ended(this.#calls.settle(this.#ticket, outcome));
  }

  #ended(settled: boolean): boolean {
    this.#open = false;
    if (this.#watched) {
      this.#watched = false;
      forgotten?.unregister(this);
    }
    return settled;
  }
}

/**
 * What is settled as cancelled when its permit is collected. (Some edge runtimes have no such registry.) A registry keeps
 * what it holds alive, and a breaker may know, through its listeners, who holds its permits.
 */
const forgotten =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<{ calls: WeakRef<Calls>; ticket: number }>(({ calls, ticket }) =>
        calls.deref()?.settle(ticket, CANCELLED),
      );
