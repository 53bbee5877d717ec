/// <reference lib="esnext.disposable" preserve="true" />

/** The leave to make one call. */

import { CANCELLED, FAILURE, IGNORED, SUCCESS } from './outcome.js';

/** Gives a ticket back; false where that was done before. */
export type Settle = (ticket: number, outcome: number, retryAfter?: number) => boolean;

/** `Symbol.dispose`, or what compilers of `using` fall back to where a runtime lacks it. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/** What is settled as cancelled when its permit is collected. (Some edge runtimes have no such registry.) */
const forgotten =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<{ settle: WeakRef<Settle>; ticket: number }>(({ settle, ticket }) =>
        settle.deref()?.(ticket, CANCELLED),
      );

/** What hands out the permits of one breaker. */
export function permitsOf(settle: Settle): (ticket: number) => Permit {
  // The registry keeps what it holds alive, and a breaker may know, through its listeners, who holds its permits.
  const weakly = forgotten && new WeakRef(settle);
  return (ticket) => {
    const permit = new Permit(settle, ticket);
    if (weakly) {
      forgotten?.register(permit, { settle: weakly, ticket }, permit);
    }
    return permit;
  };
}

/**
 * A permit to make one call, which has to say how the call ended.
 *
 * The first method that settles it counts; each returns whether it was the first. A permit that is disposed of
 * unsettled, or collected as garbage, is settled as cancelled.
 */
export class Permit implements Disposable {
  readonly #settle: Settle;
  readonly #ticket: number;

  /** @internal */
  constructor(settle: Settle, ticket: number) {
    this.#settle = settle;
    this.#ticket = ticket;
  }

  /** The call did what was asked. */
  success(): boolean {
    return this.#end(SUCCESS);
  }

  /**
   * The call failed, and the provider is to blame.
   *
   * @param retryAfter - how long it asked to be left alone, in seconds; it can make the wait longer
   * @throws InvalidValueError for what is no number of seconds
   */
  failure(retryAfter?: number): boolean {
    return this.#end(FAILURE, retryAfter);
  }

  /** The call failed, and that says nothing about the provider. */
  ignore(): boolean {
    return this.#end(IGNORED);
  }

  /** The call was given up before it ended. */
  cancel(): boolean {
    return this.#end(CANCELLED);
  }

  /** At the end of a `using` block: the same as {@link cancel}. */
  [dispose](): void {
    this.cancel();
  }

  #end(outcome: number, retryAfter?: number): boolean {
    const settled = this.#settle(this.#ticket, outcome, retryAfter);
    forgotten?.unregister(this);
    return settled;
  }
}
