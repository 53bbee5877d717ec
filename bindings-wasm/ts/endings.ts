/** What becomes of the calls of one breaker, as the callbacks of their promises. */

import type { Judge } from './judge.js';
import { SUCCESS } from './numbers.js';
import { isStream } from './streams.js';

/** Who takes the tickets back. */
interface Settles {
  settle(ticket: number, outcome: number): void;
  /** Takes it back when the stream ends. */
  watch(ticket: number, stream: AsyncGenerator): void;
}

/** The callbacks of one call, until one of them has run; then of another one. */
interface Ending {
  ticket: number;
  readonly success: (result: unknown) => unknown;
  readonly failure: (error: unknown) => never;
}

/** So many are kept for calls to come. */
const KEPT = 64;

/**
 * Hands out callbacks, and takes them back when they have run, which a promise of the language's own does once. To make
 * two for each call would take as long as the core does.
 */
export class Endings {
  readonly #calls: Settles;
  readonly #judge: Judge;
  readonly #spare: Ending[] = [];

  constructor(calls: Settles, judge: Judge) {
    this.#calls = calls;
    this.#judge = judge;
  }

  /** Those for the call that has this ticket. */
  of(ticket: number): Ending {
    const ending = this.#spare.pop() ?? this.#make();
    ending.ticket = ticket;
    return ending;
  }

  #make(): Ending {
    const ending: Ending = {
      ticket: 0,
      success: (result) => {
        const ticket = this.#ended(ending);
        if (typeof result === 'object' && isStream(result)) {
          this.#calls.watch(ticket, result);
        } else {
          this.#calls.settle(ticket, SUCCESS);
        }
        return result;
      },
      failure: (error) => {
        this.#calls.settle(this.#ended(ending), this.#judge(error));
        throw error;
      },
    };
    return ending;
  }

  /** The ticket of the call that has ended. */
  #ended(ending: Ending): number {
    if (this.#spare.length < KEPT) {
      this.#spare.push(ending);
    }
    return ending.ticket;
  }
}
