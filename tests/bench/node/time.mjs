/**
 * How long a guarded call takes, beside the peers. Writes the readings of all rounds to the file that it is given.
 *
 * `HALFOPEN_BACKEND` says which build of the core is measured: like an application, a process has one.
 */

import { writeFileSync } from 'node:fs';

import * as halfopen from 'halfopen';
import Opossum from 'opossum';

import { cockatiel, DAY_MS, ours } from './contenders.mjs';
import { OUTCOMES, rowsOf } from './paths.mjs';
import { permits } from './permits.mjs';

const contenders = (policy, fn, opens) => ({
  ...ours(halfopen, policy, fn, opens),
  ...cockatiel(policy, fn, opens),
  // It knows no streaks.
  ...(policy === 'streak' ? {} : opossum(fn, opens)),
});

const rows = await permits(halfopen);
for (const policy of ['streak', 'window of 100']) {
  for (const outcome of OUTCOMES) {
    rows.push(...(await rowsOf(policy, outcome, contenders)));
  }
}
writeFileSync(process.argv[2], JSON.stringify({ versions: { Node: process.version }, rows }));
// A peer's timers would keep the process alive.
process.exit();

/** Its window is one of time; by default it sets a timer for each call. */
function opossum(fn, opens) {
  const limits = { errorThresholdPercentage: opens ? 50 : 100, volumeThreshold: 100, resetTimeout: DAY_MS };
  const timed = new Opossum(fn, limits);
  const untimed = new Opossum(fn, { ...limits, timeout: false });
  return { opossum: () => timed.fire(), 'opossum, no timeout': () => untimed.fire() };
}
