/**
 * Measures a guarded call of halfopen and its peers, and writes the readings of all rounds to the given file.
 *
 * `HALFOPEN_BACKEND` selects the build of the core; a process uses one.
 */

import { writeFileSync } from 'node:fs';

import * as halfopen from 'halfopen';
import { Recorder } from 'halfopen/recording';
import Opossum from 'opossum';

import { cockatiel, DAY_MS, ourBreakers, ours } from './contenders.mjs';
import { OUTCOMES, rowsOf } from './paths.mjs';
import { permits } from './permits.mjs';

const contenders = (policy, fn, opens) => ({
  ...ours(halfopen, policy, fn, opens),
  ...recorded(policy, fn, opens),
  ...cockatiel(policy, fn, opens),
  // opossum has no streak policy.
  ...(policy === 'streak' ? {} : opossum(fn, opens)),
});

const rows = await permits(halfopen);
for (const policy of ['streak', 'window of 100']) {
  for (const outcome of OUTCOMES) {
    rows.push(...(await rowsOf(policy, outcome, contenders)));
  }
}
writeFileSync(process.argv[2], JSON.stringify({ versions: { Node: process.version }, rows }));
// The timers of a peer would keep the process alive.
process.exit();

/** With a recorder of the default size, which is full after the first turns. */
function recorded(policy, fn, opens) {
  const { halfopen: breaker } = ourBreakers(halfopen, policy, opens);
  new Recorder().record(breaker);
  return { 'halfopen, recorded': () => breaker.call(fn) };
}

/** Its window is a period of time; by default it sets a timer for each call. */
function opossum(fn, opens) {
  const limits = { errorThresholdPercentage: opens ? 50 : 100, volumeThreshold: 100, resetTimeout: DAY_MS };
  const timed = new Opossum(fn, limits);
  const untimed = new Opossum(fn, { ...limits, timeout: false });
  return { opossum: () => timed.fire(), 'opossum, no timeout': () => untimed.fire() };
}
