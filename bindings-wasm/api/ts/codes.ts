/** The numbers that cross the border for every call. */

import type { Outcome, Reason } from './enums.js';

/** Every outcome at its number. */
export const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'ignored', 'cancelled'];

export const SUCCESS = 0;
export const FAILURE = 1;
export const IGNORED = 2;
export const CANCELLED = 3;

/** Answers a call that has to be repeated with the time. */
export const NEEDS_TIME = -1;

/** Answers a call that is rejected: this number for the first reason, one less for each further one. */
const REJECTED = -2;

const REASONS: readonly Reason[] = ['open', 'probes_busy', 'forced_open'];

/** The reason of a rejection. */
export function reasonOf(code: number): Reason {
  return REASONS[REJECTED - code] as Reason;
}

/** The numbers of permits for probes begin here, */
const PROBES = 2 ** 52;
/** and among them those of calls that ride on the permit of the probe that they are made inside. */
const RIDERS = PROBES + 2 ** 51;

/** Whether a permit is a probe's. */
export const isProbe = (permit: number): boolean => permit >= PROBES;

/** Whether a permit has no vote of its own. */
export const isRider = (permit: number): boolean => permit >= RIDERS;
