/** Values in bytes: the other end, where the form stands, is `wire.rs` of the crate `halfopen-circuit`. */

import type { Bytes } from './circuit.js';
import { camelCase, snakeCase } from './names.js';
import { type Field, propertiesOf } from './properties.js';

const END = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
const NUMBER = 4;
const TEXT = 5;
const LIST = 6;
const MAP = 7;
const REFUSAL = 8;
const OTHER = 9;

/** Nothing that the core takes is deeper; a host's objects may be endless. */
const DEPTH = 8;

/** More than any list of a snapshot holds. */
const LONGEST_LIST = 100;

/** More than any field takes but the window of a snapshot; a longer text is refused as well as a whole one. */
const LONGEST_TEXT = 16_384;

/** What the core refused: the field in the core's spelling, what is allowed, and the value as the core saw it. */
export class Refusal {
  constructor(
    readonly field: string,
    readonly allowed: string,
    readonly value: unknown,
  ) {}
}

/** The name of a field as the core gets it. */
export function crossing(key: string): string {
  return snakeCase(key).slice(0, LONGEST_TEXT);
}

/** A request: the operation, and what it is given. */
export function request(operation: string, fields: readonly Field[]): Bytes {
  const bytes = [LIST];
  put(bytes, operation);
  for (const { value } of fields) {
    put(bytes, value);
  }
  bytes.push(END);
  return bytes;
}

/** The fields of a configuration by the names that the core has for them; with an operation, as its argument. */
export function configuration(fields: readonly Field[], operation?: string): Bytes {
  const bytes = operation === undefined ? [] : [LIST];
  if (operation !== undefined) {
    put(bytes, operation);
  }
  bytes.push(MAP);
  for (const { key, value } of fields) {
    put(bytes, crossing(key));
    put(bytes, value);
  }
  bytes.push(END);
  return bytes;
}

/** A host's value for the core, read once and with no trust in it. */
function put(bytes: number[], value: unknown, depth = DEPTH): void {
  if (typeof value === 'string') {
    putText(bytes, value);
  } else if (typeof value === 'number') {
    scratch.setFloat64(0, value, true);
    bytes.push(NUMBER, ...new Uint8Array(scratch.buffer));
  } else if (typeof value === 'boolean') {
    bytes.push(value ? TRUE : FALSE);
  } else if (value === null) {
    bytes.push(NULL);
  } else if (typeof value === 'object' && depth > 0) {
    putStructure(bytes, value, depth - 1);
  } else {
    bytes.push(OTHER);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function putText(bytes: number[], text: string): void {
  const length = Math.min(text.length, LONGEST_TEXT);
  bytes.push(TEXT, length & 0xff, length >> 8, 0, 0);
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    bytes.push(unit & 0xff, unit >> 8);
  }
}

function putStructure(bytes: number[], value: object, depth: number): void {
  const items = itemsOf(value);
  if (items !== undefined) {
    bytes.push(LIST);
    for (const item of items) {
      put(bytes, item, depth);
    }
    bytes.push(END);
    return;
  }
  const properties = propertiesOf(value);
  if (properties === undefined) {
    bytes.push(OTHER);
    return;
  }
  bytes.push(MAP);
  for (const { key, value } of properties) {
    putText(bytes, key);
    put(bytes, value, depth);
  }
  bytes.push(END);
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

const utf8 = new TextDecoder();

/** The first value in `bytes`, with the names of its maps as `spell` has them: by default in JavaScript's way. */
export function answered(bytes: Uint8Array, spell: (name: string) => string = camelCase): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let place = 0;
  const text = (): string => {
    const start = place + 4;
    place = start + view.getUint32(place, true);
    return utf8.decode(bytes.subarray(start, place));
  };
  const upToEnd = <Item>(item: () => Item): Item[] => {
    const items: Item[] = [];
    while (bytes[place] !== END) {
      items.push(item());
    }
    place += 1;
    return items;
  };
  const value = (): unknown => {
    place += 1;
    switch (bytes[place - 1]) {
      case NULL:
        return null;
      case FALSE:
      case TRUE:
        return bytes[place - 1] === TRUE;
      case NUMBER:
        place += 8;
        return view.getFloat64(place - 8, true);
      case TEXT:
        return text();
      case LIST:
        return upToEnd(value);
      case MAP:
        return Object.fromEntries(upToEnd(() => [spell(value() as string), value()] as const));
      case REFUSAL:
        return new Refusal(value() as string, value() as string, value());
      default:
        // What the core was given and cannot say.
        return {};
    }
  };
  return value();
}
