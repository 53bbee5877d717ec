/** The set-up of many tests. */

import { once } from 'node:events';

import { CircuitBreaker, ManualClock } from 'halfopen';

/** A breaker on a clock that stands still. */
export function onStage(config = {}, options = {}) {
  const clock = new ManualClock();
  return { breaker: new CircuitBreaker({ ...config, clock, ...options }), clock };
}

/** A breaker that has just opened, for `timeoutSeconds` = 10 unless told otherwise. */
export function opened(config = {}) {
  const stage = onStage({ failureThreshold: 1, timeoutSeconds: 10, ...config });
  stage.breaker.acquire().failure();
  return stage;
}

/** The lifetime counters add up. */
export function addsUp({ totalCalls, successfulCalls, failedCalls, ignoredCalls, cancelledCalls, inFlight }) {
  return totalCalls === successfulCalls + failedCalls + ignoredCalls + cancelledCalls + inFlight;
}

/** The warnings of this package that `work` causes. */
export async function warningsOf(work) {
  const warnings = [];
  const listen = (warning) => warning.name === 'HalfopenWarning' && warnings.push(warning.message);
  process.on('warning', listen);
  await work();
  // Warnings come on a later tick; one of our own is the last of them.
  const last = once(process, 'warning');
  process.emitWarning('the last one', 'TestWarning');
  await last;
  process.off('warning', listen);
  return warnings;
}
