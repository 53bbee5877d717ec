/** Streams that guarded calls return: such a call ends when its stream does. */

import { CANCELLED, isProbe, SUCCESS } from './codes.js';
import type { Call, Executor } from './executor.js';
import { runInside } from './nesting.js';
import { Permit } from './permit.js';

/** The ways to take a step, and what it means where it is the last one: a consumer that stops early is neutral. */
const STEPS = [
  ['next', SUCCESS],
  ['throw', SUCCESS],
  ['return', CANCELLED],
] as const;

type Step = (...sent: unknown[]) => Promise<IteratorResult<unknown>>;

/**
 * Whether it is an async generator, by its shape: compilers for older targets make ordinary objects of them, and other
 * realms have prototypes of their own.
 */
export function isStream(result: object | null): result is AsyncGenerator {
  try {
    const { next, return: stop, throw: raise, [Symbol.asyncIterator]: iterate } = result as AsyncGenerator;
    return [next, iterate, stop ?? raise].every((method) => typeof method === 'function');
  } catch {
    // Null, or a proxy that throws.
    return false;
  }
}

/**
 * Settles the permit when the stream ends: its end is a success, and its error counts. The stream stays the object that it
 * is, and only its methods are wrapped. The time between two steps is the consumer's, and is left out.
 */
export function guardStream(stream: AsyncGenerator, executor: Executor, call: Call): void {
  const permit = new Permit(executor, call.permit);
  let ended = false;
  let running = 0;
  const end = (outcome: () => number): void => {
    if (!ended) {
      ended = true;
      permit.end(outcome());
    }
  };
  const guarded = (name: string, last: number, own: Step): Step => {
    const take = async (sent: unknown[]) => {
      running += 1;
      permit.resume();
      try {
        const taken = await Reflect.apply(own, stream, sent);
        if (taken.done) {
          end(() => last);
        }
        return taken;
      } catch (error) {
        // What the consumer has thrown into the stream is no error of the provider's.
        const isThrown = name === 'throw' && error === sent[0];
        end(() => (isThrown ? CANCELLED : executor.outcomeOf(error, call)));
        throw error;
      } finally {
        running -= 1;
        if (running === 0 && !ended) {
          permit.pause();
        }
      }
    };
    return (...sent) =>
      isProbe(call.permit) && !ended ? runInside(executor, call.permit, () => take(sent)) : take(sent);
  };
  try {
    for (const [name, last] of STEPS) {
      const own: unknown = stream[name];
      if (typeof own === 'function') {
        const value = guarded(name, last, own as Step);
        Object.defineProperty(stream, name, { value, configurable: true, writable: true });
      }
    }
    permit.pause();
    permit.track();
  } catch {
    // A frozen stream: nobody will see its end, so the call has ended with it.
    permit.success();
  }
}
