/** Async generators that guarded calls return: such a call ends with its stream. */

import { CANCELLED, isProbe, SUCCESS } from './codes.js';
import type { Call, Executor } from './executor.js';
import { runInside } from './nesting.js';
import { Permit } from './permit.js';

/** The methods of a generator, and the outcome if one ends it: a consumer that stops early is neutral. */
const STEPS = [
  ['next', SUCCESS],
  ['throw', SUCCESS],
  ['return', CANCELLED],
] as const;

type Step = (...sent: unknown[]) => Promise<IteratorResult<unknown>>;

/**
 * Whether it is an async generator, by its shape: compilers for older targets turn generators into ordinary objects,
 * and those of other realms have other prototypes.
 */
export function isStream(result: object | null): result is AsyncGenerator {
  try {
    const stream = result as AsyncGenerator;
    return (
      typeof stream[Symbol.asyncIterator] === 'function' &&
      typeof stream.next === 'function' &&
      typeof (stream.return ?? stream.throw) === 'function'
    );
  } catch {
    // Null, or a proxy that throws.
    return false;
  }
}

/**
 * Settles the permit when the stream ends: reaching the end is a success, and an error counts. The stream stays the
 * same object; only its methods are wrapped. The consumer's time between two steps does not count as the call's.
 */
export function guardStream(stream: AsyncGenerator, executor: Executor, call: Call): void {
  const permit = new Permit(executor, call.permit, call.clock);
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
      permit.pause(false);
      try {
        const taken = await Reflect.apply(own, stream, sent);
        if (taken.done) {
          end(() => last);
        }
        return taken;
      } catch (error) {
        // The consumer threw this error into the stream, so it is not the provider's.
        const isThrown = name === 'throw' && error === sent[0];
        end(() => (isThrown ? CANCELLED : executor.outcomeOf(error, call)));
        throw error;
      } finally {
        running -= 1;
        if (running === 0 && !ended) {
          permit.pause(true);
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
    permit.pause(true);
    permit.track();
  } catch {
    // The stream is frozen, so its end cannot be observed: the call ends here.
    permit.success();
  }
}
