/** The host's values in short form, without running their code, and the refusal of one or of an assignment. */

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

/**
 * Makes assignments to properties say what to do instead. Without that, sloppy mode ignores them for a property with only a
 * getter, and one that a class does not have would appear on the object without an effect.
 *
 * @internal
 */
export function refuseAssignments(kind: { prototype: object }, instead: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(instead)) {
    Object.defineProperty(kind.prototype, name, {
      set: (value) => check(false, name, value, `no assignment; ${text}`),
    });
  }
}
