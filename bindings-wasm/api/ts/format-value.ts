/** The host's values in short form, without running their code. */

/** The longest text that a message repeats, in characters. */
const LONGEST = 80;

/** Stands for the value of a property that could not be read. */
export const UNREADABLE = Symbol('unreadable');

/** A value as a message shows it. */
export function formatValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    default:
      if (value === UNREADABLE) {
        return '(a getter that threw)';
      }
      return value === null ? 'null' : `(a value of type ${typeof value})`;
  }
}
