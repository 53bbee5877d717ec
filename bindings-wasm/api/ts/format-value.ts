/** The host's values in short form, without running their code. */

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
