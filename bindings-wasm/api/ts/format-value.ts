/** The host's values in short form, without running their code, and the refusal of one. */

import { InvalidValueError } from './errors.js';

/** The longest text that a message repeats, in characters. */
const LONGEST = 80;

/** Stands for the value of a property that could not be read. */
export const UNREADABLE = Symbol('unreadable');

/** A value as a message shows it. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  }
  if (value === null || ['number', 'boolean', 'undefined'].includes(typeof value)) {
    return String(value);
  }
  return value === UNREADABLE ? '(a getter that threw)' : `(a value of type ${typeof value})`;
}

/** @throws InvalidValueError unless the value is allowed */
export function check(isAllowed: boolean, field: string, value: unknown, allowed: string): asserts isAllowed {
  if (!isAllowed) {
    throw new InvalidValueError(field, formatValue(value), allowed);
  }
}
