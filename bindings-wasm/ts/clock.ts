/** Time as a host hands it in. */

import { InvalidValueError } from './errors.js';
import { reportOnce } from './report.js';
import { show } from './show.js';
import type { TimeSource } from './time.js';

/** Where a breaker reads the time: `performance`, `Date`, a {@link ManualClock}, or a clock of one's own. */
export interface Clock {
  /** Milliseconds from an origin of the clock's choice, not negative; time that runs backwards counts as none. */
  now(): number;
}

/** A clock for tests that moves when it is told to, so that nobody's tests sleep. */
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
   * @throws InvalidValueError for what is no such number
   */
  advance(millis: number): void {
    this.#now += checked('millis', millis);
  }

  /**
   * Puts the clock at a reading, which may lie before the present one.
   *
   * @param millis - milliseconds, 0 or more
   * @throws InvalidValueError for what is no such number
   */
  set(millis: number): void {
    this.#now = checked('millis', millis);
  }
}

function checked(field: string, millis: number): number {
  if (Number.isFinite(millis) && millis >= 0) {
    return millis;
  }
  throw new InvalidValueError(field, show(millis), 'a number of milliseconds of 0 or more');
}

/** A host's clock, read so that whatever it does harms no call. */
export class HostClock implements TimeSource {
  readonly #clock: Clock;
  readonly #latest: number;
  readonly #report = reportOnce('the clock of a circuit breaker has no time to tell, so no time passes');
  #reading = false;

  /** `latest` is the most milliseconds that a clock can mean. */
  constructor(clock: Clock, latest: number) {
    this.#clock = clock;
    this.#latest = latest;
  }

  read(): number {
    if (this.#reading) {
      // A clock that asks the breaker gets an answer for the last time, and no recursion.
      return Number.NaN;
    }
    this.#reading = true;
    let now: unknown;
    try {
      now = this.#clock.now();
    } catch (fault) {
      this.#reading = false;
      this.#report(fault);
      return Number.NaN;
    }
    this.#reading = false;
    if (typeof now === 'number' && now >= 0 && now <= this.#latest) {
      return now;
    }
    this.#report(now);
    return Number.NaN;
  }
}
