/** Lists and maps on their way across the border: arrays that begin with the word for what they are. */

import { propertiesOf } from './properties.js';

/** Nothing that the core takes is deeper; a host's objects may be endless. */
const DEPTH = 8;

/** A host's value for the core, read once and with no trust in it; what no JSON can say crosses as an empty object. */
export function encoded(value: unknown, depth = DEPTH): unknown {
  if (typeof value === 'string') {
    return short(value);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === 0) {
    return {};
  }
  const items = itemsOf(value);
  if (items !== undefined) {
    return ['list', ...items.map((item) => encoded(item, depth - 1))];
  }
  const properties = propertiesOf(value)?.flatMap(({ key, value }) => [short(key), encoded(value, depth - 1)]);
  return properties === undefined ? {} : ['map', ...properties];
}

/** The items of an array of a sensible length. */
function itemsOf(value: object): unknown[] | undefined {
  try {
    return Array.isArray(value) && value.length <= LONGEST_LIST ? Array.from(value) : undefined;
  } catch {
    // A proxy that cannot be read.
    return undefined;
  }
}

/** A value of the core's. */
export function decoded(value: unknown): unknown {
  if (!Array.isArray(value)) {
    return value;
  }
  const [word, ...items] = value as unknown[];
  if (word === 'list') {
    return items.map(decoded);
  }
  const entries = items.flatMap((name, index) => (index % 2 === 0 ? [[name, decoded(items[index + 1])]] : []));
  return Object.fromEntries(entries) as unknown;
}

/** More than any list of a snapshot holds. */
const LONGEST_LIST = 100;

/** More than any field takes but the window of a snapshot; a longer text is refused as well as a whole one. */
const LONGEST_TEXT = 16_384;

/** A text that need not be copied whole. */
export function short(text: string): string {
  return text.slice(0, LONGEST_TEXT);
}
