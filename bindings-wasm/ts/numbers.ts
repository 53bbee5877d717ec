/** Words by the number that crosses the border: their place in the core's order. */

import type { Outcome, Reason } from './vocabulary.js';

/** Every outcome at its number. */
export const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'ignored', 'cancelled'];

export const SUCCESS = 0;
export const FAILURE = 1;
export const IGNORED = 2;
export const CANCELLED = 3;

/** Every reason at its number. */
export const REASONS: readonly Reason[] = ['open', 'probes_busy', 'forced_open'];
