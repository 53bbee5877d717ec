/** The readings of a breaker, as plain objects that JSON can hold. */

import type { Cause, Mode, State } from './enums.js';

/** A reading of a breaker at one moment; seconds of a moment count from the origin of the breaker's clock. */
export interface Status {
  /** The circuit's name. */
  readonly name: string;
  // from make generate: typescript status; do not edit
  /** The moment, in seconds. */
  readonly nowSeconds: number;
  /** The state; also half-open if the wait is over and no call has come yet. */
  readonly state: State;
  /** The mode: automatic, or set by an operator. */
  readonly mode: Mode;
  /** The rest of the wait, in seconds; null unless open, and null if held open without an end. */
  readonly retryAfterSeconds: number | null;
  /** The number that changes with every transition and every operation of an operator. */
  readonly generation: number;
  /** Successes in percent of the calls that ended in success or failure; 0 without such calls. */
  readonly successRate: number;
  /** Failures in a row. */
  readonly consecutiveFailures: number;
  /** Successes in a row. */
  readonly consecutiveSuccesses: number;
  /** Calls in the window; 0 if no rate is set. */
  readonly windowCalls: number;
  /** Those of them that failed. */
  readonly windowFailed: number;
  /** Those of them that were slow. */
  readonly windowSlow: number;
  /** Changes of state since the breaker was made. */
  readonly stateTransitions: number;
  /** When a call last failed, in seconds; null before the first. */
  readonly lastFailureSeconds: number | null;
  /** When a call last succeeded, in seconds; null before the first. */
  readonly lastSuccessSeconds: number | null;
  /** When the state last changed, in seconds; null before the first change. */
  readonly lastStateChangeSeconds: number | null;
  /** Calls admitted; the sum of the four outcomes and `inFlight`, always. */
  readonly totalCalls: number;
  /** Calls that ended in success. */
  readonly successfulCalls: number;
  /** Calls that ended in failure. */
  readonly failedCalls: number;
  /** Calls that ended without saying anything about the provider. */
  readonly ignoredCalls: number;
  /** Calls given up before they ended. */
  readonly cancelledCalls: number;
  /** Calls that were not admitted. */
  readonly rejectedCalls: number;
  /** Calls that were admitted only because the mode is `shadow`. */
  readonly shadowRejected: number;
  /** Calls that ended in success or failure, and were slow. */
  readonly slowCalls: number;
  /** Probe slots taken back from probes that hung. */
  readonly probeTimeouts: number;
  /** Calls admitted that have not ended. */
  readonly inFlight: number;
  // end
  /** When a call last failed, as a date. */
  readonly lastFailureTime: Date | null;
  /** When a call last succeeded, as a date. */
  readonly lastSuccessTime: Date | null;
  /** When the state last changed, as a date. */
  readonly lastStateChangeTime: Date | null;
}

/** A change of state, with the numbers that decided it. */
export interface TransitionEvent {
  // from make generate: typescript event; do not edit
  /** 1 for the breaker's first transition, and one more for each further one. */
  readonly sequence: number;
  /** When it happened, in seconds from the origin of the breaker's clock. */
  readonly atSeconds: number;
  /** The state it left. */
  readonly fromState: State;
  /** The state it entered. */
  readonly toState: State;
  /** Why. */
  readonly cause: Cause;
  /** The generation that it started. */
  readonly generation: number;
  /** Failures in a row just after it: in an opening, those that opened the circuit. */
  readonly consecutiveFailures: number;
  /** Probe successes in a row just before it: in a closing, with the one that closed the circuit. */
  readonly consecutiveSuccesses: number;
  /** The wait that it began, in seconds, if any. */
  readonly retryAfterSeconds: number | null;
  // end
  /** When it happened, as a date. */
  readonly time: Date;
}

/** How long calls took. */
export interface Durations {
  // from make generate: typescript durations; do not edit
  /** The number of calls. */
  readonly count: number;
  /** All their durations added up, in seconds. */
  readonly totalSeconds: number;
  /** For each bucket its upper bound in seconds, the last one infinite, and the calls that took at most that long. */
  readonly buckets: readonly { readonly upToSeconds: number; readonly count: number }[];
  // end
}

/** How long the calls took that ended in success, and those that ended in failure. */
export interface DurationsByOutcome {
  /** Of the calls that ended in success. */
  readonly success: Durations;
  /** Of the calls that ended in failure. */
  readonly failure: Durations;
}

/**
 * Dates for the moments of a breaker's clock, computed at the reading as wall clock minus age, so that they are right
 * after the wall clock was corrected. The offset between the two clocks is kept while a new one differs by less than a
 * second, so that one moment has one date in all readings.
 */
export class WallClock {
  #originMillis = Number.NaN;

  /** The origin of the breaker's clock, in milliseconds of the wall clock. */
  originOf(nowSeconds: number): number {
    const fresh = Date.now() - nowSeconds * 1000;
    if (!(Math.abs(fresh - this.#originMillis) < TOLERANCE_MILLIS)) {
      this.#originMillis = fresh;
    }
    return this.#originMillis;
  }
}

const TOLERANCE_MILLIS = 1000;

const dateOf = (seconds: number, originMillis: number) => new Date(originMillis + seconds * 1000);

/** A status with its dates. */
export function statusOf(name: string, reading: StatusReading, originMillis: number): Status {
  const date = (seconds: number | null) => (seconds === null ? null : dateOf(seconds, originMillis));
  return {
    name,
    ...reading,
    lastFailureTime: date(reading.lastFailureSeconds),
    lastSuccessTime: date(reading.lastSuccessSeconds),
    lastStateChangeTime: date(reading.lastStateChangeSeconds),
  };
}

/** An event with its date. */
export function eventOf(reading: EventReading, originMillis: number): TransitionEvent {
  return { ...reading, time: dateOf(reading.atSeconds, originMillis) };
}

/** A status as the core returns it. */
export type StatusReading = Omit<Status, 'name' | `${string}Time`>;

/** An event as the core returns it. */
export type EventReading = Omit<TransitionEvent, 'time'>;
