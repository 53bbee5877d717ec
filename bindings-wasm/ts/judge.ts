/** Who says what an error means for the circuit. */

import { CANCELLED, FAILURE, OUTCOMES } from './numbers.js';
import { reportOnce } from './report.js';
import type { Outcome } from './vocabulary.js';

/** Says how a call ended that threw `error`. */
export type Classify = (error: unknown) => Outcome;

/** Says the number of an outcome. */
export type Judge = (error: unknown) => number;

/** Without a classifier: a call that its caller aborted says nothing about the provider, any other error does. */
export function judgeByName(error: unknown): number {
  try {
    const { name } = error as { name?: unknown };
    return name === 'AbortError' ? CANCELLED : FAILURE;
  } catch {
    // `undefined` was thrown, or something whose name throws.
    return FAILURE;
  }
}

/** With a classifier; where that fails, the error counts as a failure. */
export function judgeBy(classify: Classify): Judge {
  const report = reportOnce('the classifier of a circuit breaker gave no outcome, so the error counts as a failure');
  return (error) => {
    try {
      const outcome = classify(error);
      const number = OUTCOMES.indexOf(outcome);
      if (number >= 0) {
        return number;
      }
      report(outcome);
    } catch (fault) {
      report(fault);
    }
    return FAILURE;
  };
}
