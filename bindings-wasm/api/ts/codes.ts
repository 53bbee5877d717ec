/** The numbers that cross the border for every call. */

import type { Outcome, Reason } from './enums.js';

// from make generate: typescript codes; do not edit
/** The outcomes, each at the index that is its number. */
export const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'ignored', 'cancelled'];
/** The reasons of a rejection, each at the index that is its number. */
export const REASONS: readonly Reason[] = ['open', 'probes_busy', 'forced_open'];
export const SUCCESS = 0;
export const FAILURE = 1;
export const IGNORED = 2;
export const CANCELLED = 3;
/** The largest reading of a clock, in milliseconds. */
export const LATEST_MILLIS = 18446744073709;
/** How many transitions a breaker keeps. */
export const EVENTS_KEPT = 64;
// end

/** The call has to be repeated with the time. */
export const NEEDS_TIME = -1;

/** The number that is passed where there is no permit. */
export const NO_PERMIT = -1;

/** The call is rejected: this number means the first reason, and each number below it the next one. */
const REJECTED = -2;

/** The reason of a rejection. */
export function reasonOf(code: number): Reason {
  return REASONS[REJECTED - code] as Reason;
}

/** Permits of probes have numbers from here on. */
const PROBES = 2 ** 52;
/** Calls that share the permit of an outer probe have numbers from here on. */
const SHARING = PROBES + 2 ** 51;

/** Whether a permit is a probe's. */
export const isProbe = (permit: number): boolean => permit >= PROBES;

/** Whether a permit has no vote of its own. */
export const sharesPermit = (permit: number): boolean => permit >= SHARING;
