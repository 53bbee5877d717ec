/** A guarded call: in, through the host's function, and out. */

import type { Signal } from './classify.js';
import { isProbe, SUCCESS } from './codes.js';
import { InvalidValueError } from './errors.js';
import type { Call, Executor } from './executor.js';
import { formatValue } from './format-value.js';
import { outerCall, runInside } from './nesting.js';
import { guardStream, isStream } from './streams.js';

/**
 * Runs `fn`, if the circuit lets it, and waits for what it returns before judging it.
 *
 * @param inside - the permit of the call that this one is made inside, where the caller says so
 * @throws CircuitBreakerOpenError where the circuit does not let it run
 */
export async function guardedCall<This, Args extends unknown[], Result>(
  executor: Executor,
  fn: (this: This, ...args: Args) => Result,
  self: This,
  args: Args,
  signal?: Signal,
  inside?: number,
): Promise<Awaited<Result>> {
  checkFunction(fn);
  const permit = executor.enter(inside ?? outerCall(executor));
  if (permit < 0) {
    const rejection = executor.rejection(permit);
    // A promise that is rejected at once has no handler yet, and V8 keeps books about that for longer than all this takes.
    await undefined;
    throw rejection;
  }
  executor.begun += 1;
  const call: Call = { permit, number: executor.begun, lastInside: Number.POSITIVE_INFINITY, signal };
  let result: Awaited<Result>;
  try {
    const returned = isProbe(permit)
      ? runInside(executor, permit, () => Reflect.apply(fn, self, args))
      : Reflect.apply(fn, self, args);
    call.lastInside = executor.begun;
    result = await returned;
  } catch (error) {
    executor.settle(permit, executor.outcomeOf(error, call));
    throw error;
  }
  if (typeof result === 'object' && isStream(result)) {
    guardStream(result, executor, call);
  } else {
    executor.settle(permit, SUCCESS);
  }
  return result;
}

/** @throws InvalidValueError for what is no function */
export function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') {
    throw new InvalidValueError('fn', formatValue(fn), 'a function');
  }
}
