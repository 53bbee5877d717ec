/** The clocks of a breaker. */

import { LATEST_MILLIS } from './codes.js';
import { check } from './format-value.js';
import { reportOnce } from './report.js';

/** The clock of a breaker: `performance`, `Date`, a {@link ManualClock}, or one of your own. */
export interface Clock {
  /** Milliseconds from an origin of the clock's choice, not negative; time that runs backwards counts as none. */
  now(): number;
}

/** A clock for tests, which moves only when told to, so that no test has to sleep. */
export class ManualClock implements Clock {
  #now = 0;

  /** The reading, in milliseconds; 0 at first. */
  now(): number {
    return this.#now;
  }

  /**
   * Moves the clock forward.
   *
   * @param millis - milliseconds, 0 or more
   * @throws InvalidValueError for anything else
   */
  advance(millis: number): void {
    this.#now += checked('millis', millis);
  }

  /**
   * Sets the clock to a reading, which may lie before the present one.
   *
   * @param millis - milliseconds, 0 or more
   * @throws InvalidValueError for anything else
   */
  set(millis: number): void {
    this.#now = checked('millis', millis);
  }
}

function checked(field: string, millis: number): number {
  check(Number.isFinite(millis) && millis >= 0, field, millis, 'a number of milliseconds of 0 or more');
  return millis;
}

/** Finds the clock to read: once for each call, which ends by the clock it began with. */
export type ClockSource = () => Clock;

/**
 * The clock of a page or a worker. Fake timers replace it, so it is not kept; but Chromium takes 100 ns to find it, twice
 * the time of a reading.
 */
export const pageClock: ClockSource = () => globalThis.performance ?? Date;

/** Wraps a user's clock so that its faults harm no call: when it fails, no time passes. */
export function guardedSource(clock: Clock): ClockSource {
  const guarded = new GuardedClock(clock);
  return () => guarded;
}

class GuardedClock implements Clock {
  readonly #report = reportOnce('the clock of a circuit breaker has no time to tell, so no time passes');
  #last = 0;
  #reading = false;

  constructor(private readonly clock: Clock) {}

  now(): number {
    // A clock may use the breaker itself: that reads the last time, without recursion.
    if (!this.#reading) {
      this.#reading = true;
      try {
        this.#take(this.clock.now());
      } catch (fault) {
        this.#report(fault);
      }
      this.#reading = false;
    }
    return this.#last;
  }

  #take(now: unknown): void {
    if (typeof now === 'number' && now >= 0 && now <= LATEST_MILLIS) {
      this.#last = now;
    } else {
      this.#report(now);
    }
  }
}
