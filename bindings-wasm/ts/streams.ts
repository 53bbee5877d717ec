/** Streams that guarded calls return: such a call ends when its stream does. */

import type { Judge } from './judge.js';
import { CANCELLED, SUCCESS } from './numbers.js';
import type { Permit } from './permit.js';

/** What every async generator of this realm inherits from. */
const AsyncGenerators: object = Object.getPrototypeOf(async function* () {
  yield;
}).prototype;
const isInherited = Object.prototype.isPrototypeOf;
const { apply } = Reflect;

/** The ways to take a step, and what it means where it is the last one: who stops early is neutral. */
const STEPS = [
  ['next', SUCCESS],
  ['throw', SUCCESS],
  ['return', CANCELLED],
] as const;

type Step = (...sent: unknown[]) => Promise<IteratorResult<unknown>>;

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
 * Settles the permit when the stream ends: its end is a success, and its error counts. The stream stays the object that it
 * is, and only its methods look on, so whatever its maker has put on it is there, and it is passed on both ways.
 */
export function guard(stream: AsyncGenerator, permit: Permit, judge: Judge): void {
  let ended = false;
  const end = (outcome: () => number): void => {
    if (!ended) {
      ended = true;
      permit.end(outcome());
    }
  };
  for (const [name, last] of STEPS) {
    const own: unknown = stream[name];
    if (typeof own !== 'function') {
      continue;
    }
    const step: Step = async (...sent) => {
      try {
        const taken: IteratorResult<unknown> = await apply(own, stream, sent);
        if (taken.done) {
          end(() => last);
        }
        return taken;
      } catch (error) {
        // What the consumer has thrown into the stream is no error of the provider's.
        const thrown = name === 'throw' && error === sent[0];
        end(() => (thrown ? CANCELLED : judge(error)));
        throw error;
      }
    };
    Object.defineProperty(stream, name, { value: step, configurable: true, writable: true });
  }
}
