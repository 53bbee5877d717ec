/** What a breaker takes from its host besides numbers. */

import type { Clock } from './clock.js';
import { fieldsOf } from './config.js';
import { InvalidValueError } from './errors.js';
import type { Classify } from './judge.js';
import type { Field } from './properties.js';

/** The helpers that a host may hand to a breaker. */
export interface CircuitBreakerOptions {
  /** Where the breaker reads the time; the platform's monotonic clock by default. */
  readonly clock?: Clock | undefined;
  /**
   * Says how a call ended that threw. By default an error whose `name` is `AbortError` is `cancelled`, any other a
   * `failure`. A classifier that throws, or returns anything else, is reported, and the error counts as a failure.
   */
  readonly classify?: Classify | undefined;
}

const ALLOWED: Readonly<Record<string, { what: string; fits: (value: unknown) => boolean }>> = {
  clock: { what: 'an object with a method now() that returns milliseconds', fits: isClock },
  classify: { what: 'a function', fits: (value) => typeof value === 'function' },
};

/**
 * Checked options.
 *
 * @throws InvalidValueError naming the option, for one that does not fit or does not exist
 */
export function optionsOf(options: unknown): CircuitBreakerOptions {
  const fields = fieldsOf('options', options);
  fields.forEach(check);
  return Object.fromEntries(fields.map(({ key, value }) => [key, value]));
}

function check({ key, value, shown }: Field): void {
  const allowed = Object.hasOwn(ALLOWED, key) ? ALLOWED[key] : undefined;
  if (allowed === undefined) {
    throw new InvalidValueError(key, shown, `one of: ${Object.keys(ALLOWED).join(', ')}`);
  }
  if (!allowed.fits(value)) {
    throw new InvalidValueError(key, shown, allowed.what);
  }
}

function isClock(value: unknown): boolean {
  try {
    return typeof (value as Clock).now === 'function';
  } catch {
    return false;
  }
}
