/** Reads the host's objects once and without trust: getters and proxies may throw or change their mind. */

import type { Plain, Refusal } from './backend.js';
import { InvalidValueError } from './errors.js';
import { formatValue, UNREADABLE } from './format-value.js';

/** The fields of an object that was read, by name. */
export type Fields = ReadonlyMap<string, unknown>;

/** One argument as a field. */
export const field = (name: string, value: unknown): Fields => new Map([[name, value]]);

/** Nothing that the core takes is deeper; a host's objects may be endless. */
const DEPTH = 3;
/** Longer lists and texts are refused as well by their beginning. */
const LONGEST = 1000;

/**
 * The own properties of a plain object or of a module's namespace that are not undefined.
 *
 * @throws InvalidValueError naming the argument, for anything else
 */
export function fieldsOf(argument: string, object: unknown): Fields {
  const fields = ownProperties(object);
  if (fields === undefined) {
    throw new InvalidValueError(argument, formatValue(object), 'a plain object');
  }
  return new Map([...fields].filter(([, value]) => value !== undefined));
}

/** Fields for the core. */
export function plainFields(fields: Fields): Plain {
  return record([...fields].map(([name, value]) => [name, plain(value)]));
}

/** Without a prototype: a deserialiser may list what somebody has put on `Object.prototype`. */
function record(entries: [string, Plain][]): { [name: string]: Plain } {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/** A value for the core. */
export function plain(value: unknown, depth = DEPTH): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    return value;
  }
  if (typeof value === 'string') {
    return value.slice(0, LONGEST);
  }
  const properties = depth > 0 ? ownProperties(value) : undefined;
  return properties === undefined
    ? Number.NaN
    : record([...properties].map(([name, inner]) => [name, plain(inner, depth - 1)]));
}

/**
 * What the core answers.
 *
 * @param given - the fields that it was handed, so that an error shows the value that the caller wrote
 * @throws InvalidValueError where the core refuses one of them
 */
export function decodeOrThrow<Answer>(ask: () => Answer, given?: Fields): Answer {
  try {
    return ask();
  } catch (error) {
    const { code, field, value, allowed } = error as Partial<Refusal>;
    if (code !== 'INVALID_VALUE' || field === undefined || allowed === undefined) {
      throw error;
    }
    throw new InvalidValueError(field, formatValue(given?.has(field) ? given.get(field) : value), allowed);
  }
}

/**
 * The own properties of an object without a class. (One with a class may keep its fields where nobody can list them, and
 * passing over them would put defaults in force behind its author's back.)
 */
function ownProperties(object: unknown): Map<string, unknown> | undefined {
  try {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      return undefined;
    }
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return undefined;
    }
    return new Map(readableKeys(object).map((key) => [String(key), read(object, key)]));
  } catch {
    // A proxy that cannot be read.
    return undefined;
  }
}

/** All keys but hidden symbols, of which the namespace of a module has one. */
function readableKeys(object: object): (string | symbol)[] {
  const isHidden = (key: symbol) => !Object.prototype.propertyIsEnumerable.call(object, key);
  return Reflect.ownKeys(object).filter((key) => typeof key === 'string' || !isHidden(key));
}

function read(object: object, key: string | symbol): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return UNREADABLE;
  }
}
