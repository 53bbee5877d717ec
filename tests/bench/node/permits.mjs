/** Acquires and settles a permit without `call`, as code that handles streams does. */

import { ourBreakers } from './contenders.mjs';
import { awaited, measure, plain } from './harness.mjs';

export async function permits(halfopen) {
  const breakers = Object.entries(ourBreakers(halfopen, 'streak', false));
  const contenders = (guard, bare) => ({
    ...Object.fromEntries(breakers.map(([name, breaker]) => [name, guard(breaker)])),
    bare,
  });
  const settledAtOnce = (breaker) => () => breaker.acquire().success();
  const settledLater = (breaker) => async () => {
    const permit = breaker.acquire();
    await null;
    permit.success();
  };
  const rows = [
    ...(await measure(
      'acquire, settle',
      contenders(settledAtOnce, () => 1),
      plain,
    )),
    ...(await measure(
      'acquire, await, settle',
      contenders(settledLater, async () => await null),
      awaited,
    )),
  ];
  for (const [name, breaker] of breakers) {
    const { successfulCalls, totalCalls } = breaker.status();
    if (successfulCalls !== totalCalls) {
      throw new Error(`permits: ${name} has ${totalCalls} calls, of which ${successfulCalls} succeeded`);
    }
  }
  return rows;
}
