/** A permit, taken and given back without a promise of the breaker's: what streams use. */

import { ourBreakers } from './contenders.mjs';
import { awaited, measure, plain } from './harness.mjs';

export async function permits(halfopen) {
  const breakers = Object.entries(ourBreakers(halfopen, 'streak', false));
  const contenders = (way, bare) => ({
    ...Object.fromEntries(breakers.map(([name, breaker]) => [name, way(breaker)])),
    bare,
  });
  const atOnce = (breaker) => () => breaker.acquire().success();
  const later = (breaker) => async () => {
    const permit = breaker.acquire();
    await null;
    permit.success();
  };
  const rows = [
    ...(await measure(
      'acquire, settle',
      contenders(atOnce, () => 1),
      plain,
    )),
    ...(await measure(
      'acquire, await, settle',
      contenders(later, async () => await null),
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
