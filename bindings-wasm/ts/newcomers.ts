/**
 * Permits that were handed out in this turn. To have one watched by a `FinalizationRegistry` takes twenty times as long
 * as to hand it out and settle it, and most are settled before the function that asked for them returns: so only those
 * are watched that outlive the turn, or so many others in it.
 */

import type { Permit } from './permit.js';

const PLACES = 64;

const { then } = Promise.prototype;
const done = Promise.resolve();

/** Each is held until the turn ends, or another one needs its place. */
const places: (Permit | undefined)[] = Array.from({ length: PLACES }, () => undefined);
let next = 0;
let turning = false;

/** Takes a permit in, which nobody has settled yet. */
export function welcome(permit: Permit): void {
  places[next]?.watch();
  places[next] = permit;
  next = (next + 1) % PLACES;
  if (!turning) {
    then.call(done, sendOn);
    turning = true;
  }
}

/** At the end of the turn. */
function sendOn(): void {
  turning = false;
  next = 0;
  for (const [place, permit] of places.entries()) {
    permit?.watch();
    places[place] = undefined;
  }
}
