/**
 * The permit that was handed out last. To have one watched by a `FinalizationRegistry` takes twenty times as long as to
 * hand it out and settle it, and most are settled before anything else happens: so only those are watched that outlive
 * the turn, or the next permit.
 */

import type { Permit } from './permit.js';

const { then } = Promise.prototype;
const done = Promise.resolve();

/** Held until the turn ends, or another one takes its place. */
let newcomer: Permit | undefined;
let turning = false;

/** Takes a permit in, which nobody has settled yet. */
export function welcome(permit: Permit): void {
  newcomer?.watch();
  newcomer = permit;
  if (!turning) {
    then.call(done, sendOn);
    turning = true;
  }
}

/** At the end of the turn. */
function sendOn(): void {
  turning = false;
  newcomer?.watch();
  newcomer = undefined;
}
