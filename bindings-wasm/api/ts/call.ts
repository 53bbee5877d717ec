/** A guarded call from its permit to its outcome. */

import type { Signal } from './classify.js';
import { isProbe, SUCCESS } from './codes.js';
import { InvalidValueError } from './errors.js';
import type { Call, Executor } from './executor.js';
import { formatValue } from './format-value.js';
import { outerCall, runInside } from './nesting.js';
import { guardStream, isStream } from './streams.js';

/**
 * Runs `fn` if the circuit admits the call, awaits its result and records the outcome.
 *
 * @param inside - the permit of the outer call, if the caller passed one
 * @throws CircuitBreakerOpenError if the circuit rejects the call
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
    // A promise rejected at once has no handler yet, and V8's bookkeeping for that takes longer than all of this.
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

/** @throws InvalidValueError unless `fn` is a function */
export function checkFunction(fn: unknown): void {
  if (typeof fn !== 'function') {
    throw new InvalidValueError('fn', formatValue(fn), 'a function');
  }
}
