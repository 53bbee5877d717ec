/** A stream that a guarded call returned, which ends the call at its own end. */

import type { Judge } from './judge.js';
import { CANCELLED, SUCCESS } from './numbers.js';
import type { Permit } from './permit.js';

/** What every async generator of this realm inherits from. */
const AsyncGenerators: object = Object.getPrototypeOf(async function* () {
  yield;
}).prototype;
const isInherited = Object.prototype.isPrototypeOf;

/** Whether it is an async generator, which has produced nothing yet when it is returned. */
export function isStream(result: object | null): result is AsyncGenerator {
  try {
    return isInherited.call(AsyncGenerators, result as object);
  } catch {
    // A proxy that says no.
    return false;
  }
}

/**
 * Passes a stream on, both ways. Its end is a success, its error counts, and a consumer that stops early is neutral.
 */
export class GuardedStream {
  readonly #stream: AsyncGenerator;
  readonly #permit: Permit;
  readonly #judge: Judge;

  constructor(stream: AsyncGenerator, permit: Permit, judge: Judge) {
    this.#stream = stream;
    this.#permit = permit;
    this.#judge = judge;
  }

  next(...sent: [] | [unknown]): Promise<IteratorResult<unknown>> {
    return this.#step(() => this.#stream.next(...sent), SUCCESS);
  }

  throw(error: unknown): Promise<IteratorResult<unknown>> {
    return this.#step(() => this.#stream.throw(error), SUCCESS);
  }

  return(value: unknown): Promise<IteratorResult<unknown>> {
    return this.#step(() => this.#stream.return(value), CANCELLED);
  }

  /** Takes a step; `end` is what it means where it is the last. */
  async #step(take: () => Promise<IteratorResult<unknown>>, end: number): Promise<IteratorResult<unknown>> {
    try {
      const step = await take();
      if (step.done) {
        this.#permit.end(end);
      }
      return step;
    } catch (error) {
      this.#permit.end(this.#judge(error));
      throw error;
    }
  }
}

// With all that a generator has, such as the helpers that its realm gives it.
Object.setPrototypeOf(GuardedStream.prototype, AsyncGenerators);
