/** The breakers that run in Node and in browsers, configured alike. Each is a function that makes a guarded call. */

import { ConsecutiveBreaker, CountBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel';

/** Longer than the benchmark, so no circuit changes its state by time. (Timers are limited to 31 bits of milliseconds.) */
export const DAY_MS = 24 * 60 * 60 * 1000;
/** More consecutive failures than ever occur. */
const NEVER = 2 ** 31;

/** halfopen breakers, with and without durations; `opens` says whether failures open them. */
export function ourBreakers({ CircuitBreaker }, policy, opens) {
  const limits =
    policy === 'streak'
      ? { failureThreshold: opens ? 1 : 65_535 }
      : { failureThreshold: null, failureRateThreshold: opens ? 0.5 : 1, window: { calls: 100 }, minimumCalls: 100 };
  const breaker = (recordDurations) =>
    new CircuitBreaker({ ...limits, recordDurations, timeoutSeconds: DAY_MS / 1000 });
  return { halfopen: breaker(true), 'halfopen, durations off': breaker(false) };
}

export function ours(halfopen, policy, fn, opens) {
  const breakers = Object.entries(ourBreakers(halfopen, policy, opens));
  return Object.fromEntries(breakers.map(([name, breaker]) => [name, () => breaker.call(fn)]));
}

export function cockatiel(policy, fn, opens) {
  const guarded = (breaker) => {
    const guard = circuitBreaker(handleAll, { halfOpenAfter: DAY_MS, breaker });
    return () => guard.execute(fn);
  };
  if (policy === 'streak') {
    return { 'cockatiel ConsecutiveBreaker': guarded(new ConsecutiveBreaker(opens ? 1 : NEVER)) };
  }
  const threshold = opens ? 0.5 : 0.999;
  const count = new CountBreaker({ threshold, size: 100, minimumNumberOfCalls: 100 });
  // Its window is a period of time.
  const sampling = new SamplingBreaker({ threshold, duration: 30_000, minimumRps: opens ? 1 : NEVER });
  return { 'cockatiel CountBreaker': guarded(count), 'cockatiel SamplingBreaker': guarded(sampling) };
}
