/** What can be read of a breaker, as plain objects that are ready for JSON. */

import type { Cause, Mode, State } from './vocabulary.js';

/** A reading of a breaker at one moment; seconds of a moment count from the origin of the breaker's clock. */
export interface Status {
  /** The circuit's name. */
  readonly name: string;
  /** The moment, in seconds. */
  readonly nowSeconds: number;
  /** The state; `half_open` also where a wait is over and nobody has called yet. */
  readonly state: State;
  /** Who decides. */
  readonly mode: Mode;
  /** What is left of the wait, in seconds; null unless open, or where it is held open without end. */
  readonly retryAfterSeconds: number | null;
  /** The number that changes with every transition and every operator's call. */
  readonly generation: number;
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
  /** Calls that would not have been admitted in another mode than `shadow`. */
  readonly shadowRejected: number;
  /** Calls that ended in success or failure, and were slow. */
  readonly slowCalls: number;
  /** Calls in the window, where a rate looks at it. */
  readonly windowCalls: number;
  /** Those of them that failed. */
  readonly windowFailed: number;
  /** Those of them that were slow. */
  readonly windowSlow: number;
  /** Probe slots taken back from probes that hung. */
  readonly probeTimeouts: number;
  /** Calls admitted that have not ended. */
  readonly inFlight: number;
  /** Successes in percent of the calls that ended in success or failure; 0 where there are none. */
  readonly successRate: number;
  /** Failures in a row. */
  readonly consecutiveFailures: number;
  /** Successes in a row. */
  readonly consecutiveSuccesses: number;
  /** Changes of state since the breaker was made. */
  readonly stateTransitions: number;
  /** When a call last failed, in seconds; null before the first. */
  readonly lastFailureSeconds: number | null;
  /** When a call last succeeded, in seconds; null before the first. */
  readonly lastSuccessSeconds: number | null;
  /** When the state last changed, in seconds; null before the first change. */
  readonly lastStateChangeSeconds: number | null;
  /** When a call last failed, as a date. */
  readonly lastFailureTime: Date | null;
  /** When a call last succeeded, as a date. */
  readonly lastSuccessTime: Date | null;
  /** When the state last changed, as a date. */
  readonly lastStateChangeTime: Date | null;
}

/** A change of state, with the numbers that decided it. */
export interface TransitionEvent {
  /** 1 for the breaker's first transition, and one more for each further one. */
  readonly sequence: number;
  /** When it happened, in seconds from the origin of the breaker's clock. */
  readonly atSeconds: number;
  /** When it happened, as a date. */
  readonly time: Date;
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
  /** The wait that it began, in seconds; null where it began none. */
  readonly retryAfterSeconds: number | null;
}

/** How long calls took. */
export interface Durations {
  /** The calls. */
  readonly count: number;
  /** All their durations added up, in seconds. */
  readonly totalSeconds: number;
  /** For each bucket its upper bound in seconds, the last one infinite, and the calls that took at most so long. */
  readonly buckets: readonly { readonly upToSeconds: number; readonly count: number }[];
}

/** How long the calls took that ended in success, and those that ended in failure. */
export interface DurationsByOutcome {
  /** Of the calls that ended in success. */
  readonly success: Durations;
  /** Of the calls that ended in failure. */
  readonly failure: Durations;
}

/** Turns moments of a breaker's clock into dates: the two are compared once, so a moment is always the same date. */
export class WallClock {
  readonly #originMillis: number;

  constructor(nowSeconds: number) {
    this.#originMillis = Date.now() - nowSeconds * 1000;
  }

  date(seconds: number): Date {
    return new Date(this.#originMillis + seconds * 1000);
  }
}

/** A reading of a circuit as the core tells it. */
export type StatusRead = Omit<Status, 'name' | `${string}Time`>;

/** A reading of a circuit. */
export function statusOf(name: string, read: StatusRead, wall: WallClock): Status {
  const date = (seconds: number | null) => (seconds === null ? null : wall.date(seconds));
  return {
    name,
    ...read,
    lastFailureTime: date(read.lastFailureSeconds),
    lastSuccessTime: date(read.lastSuccessSeconds),
    lastStateChangeTime: date(read.lastStateChangeSeconds),
  };
}

/** An event as the core tells it. */
export type EventRead = Omit<TransitionEvent, 'time'>;

/** An event with its date. */
export function eventOf(read: EventRead, wall: WallClock): TransitionEvent {
  return { ...read, time: wall.date(read.atSeconds) };
}

/** Of an outcome its name, the calls, all their seconds, and the bounds and counts of the buckets in turn. */
export type DurationsRead = readonly [outcome: string, calls: number, seconds: number, buckets: readonly number[]];

/** The histograms of a circuit by the outcome they belong to. */
export function durationsOf(read: readonly DurationsRead[]): DurationsByOutcome {
  const histograms = read.map(([outcome, count, totalSeconds, flat]) => {
    const bounds = flat.filter((_, index) => index % 2 === 0);
    const buckets = bounds.map((upToSeconds, index) => ({ upToSeconds, count: flat[2 * index + 1] }));
    return [outcome, { count, totalSeconds, buckets }];
  });
  return Object.fromEntries(histograms) as DurationsByOutcome;
}
