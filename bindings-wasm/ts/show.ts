/** Strangers' values in short form, without running their code. */

/** The longest text that a message repeats, in characters. */
const SHOWN = 80;

/** A value as a message shows it. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    default:
      return value === null ? 'null' : `(a value of type ${typeof value})`;
  }
}
