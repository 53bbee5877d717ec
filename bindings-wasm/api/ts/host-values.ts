/** Reads the host's objects once, because getters and proxies may throw or answer differently the second time. */

import type { ErrorCode } from './enums.js';
import { InvalidValueError, NameConflictError, RegistryFullError } from './errors.js';
import { check, formatValue, UNREADABLE } from './format-value.js';

/** A value without getters, classes or cycles. NaN stands for a value that no field takes and JSON cannot express. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** The parts of an error of the core, those that belong to its code; the field is spelled as in JavaScript. */
type CoreError = { readonly code?: ErrorCode } & Pick<InvalidValueError, 'field' | 'value' | 'allowed'> &
  Pick<NameConflictError, 'circuitName'> &
  Pick<RegistryFullError, 'bound'>;

/** The fields of an object that was read, by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** No value that the core accepts is deeper, and the host's objects may be cyclic. */
const DEPTH = 3;
/** No document that the core accepts is deeper. */
const DOCUMENT_DEPTH = 8;
/** The core accepts no longer text, so only the beginning of a longer one crosses. */
const LONGEST = 1000;

/**
 * The own properties of a plain object or of a module's namespace that are not undefined.
 *
 * @throws InvalidValueError naming the argument, for anything else
 */
export function fieldsOf(argument: string, object: unknown): Fields {
  const fields = ownProperties(object);
  check(fields !== undefined, argument, object, 'a plain object');
  return record(fields.filter(([, value]) => value !== undefined));
}

/** An object without a prototype, because someone may have added properties to `Object.prototype`. */
export function record<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
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
    : record(properties.map(([name, inner]) => [name, plain(inner, depth - 1)]));
}

/**
 * Reads a JSON document.
 *
 * @throws InvalidValueError naming the argument, for a value that is not a document, is nested too deep, or gives a
 * member twice
 */
export function parsed(argument: string, document: string): Plain {
  let members = 0;
  const bare = (value: Plain, depth: number): Plain => {
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    if (depth === 0) {
      throw new RangeError('nested too deep');
    }
    if (Array.isArray(value)) {
      return value.map((item: Plain) => bare(item, depth - 1));
    }
    const entries = Object.entries(value);
    members += entries.length;
    return record(entries.map(([name, inner]) => [name, bare(inner, depth - 1)]));
  };
  try {
    const value = bare(JSON.parse(document), DOCUMENT_DEPTH);
    // `JSON.parse` keeps the last of two members with one name, so count them in the text, outside of its strings.
    if (document.replace(/"(?:[^"\\]+|\\.)*"/g, '').split(':').length === members + 1) {
      return value;
    }
  } catch {
    // No JSON, or no text.
  }
  throw new InvalidValueError(argument, formatValue(document), 'a JSON document');
}

/**
 * Calls the core and converts its errors.
 *
 * @param given - the fields that were passed, so that an error shows the value that the caller wrote
 * @throws InvalidValueError if the core refuses one of them
 */
export function decodeOrThrow<Answer>(ask: () => Answer, given: Fields = {}): Answer {
  try {
    return ask();
  } catch (error) {
    const { code, field, value, allowed, circuitName, bound } = ((error as Error).cause ?? {}) as CoreError;
    switch (code) {
      case 'INVALID_VALUE':
        throw new InvalidValueError(field, formatValue(Object.hasOwn(given, field) ? given[field] : value), allowed);
      case 'NAME_CONFLICT':
        throw new NameConflictError(circuitName, field);
      case 'REGISTRY_FULL':
        throw new RegistryFullError(bound);
      default:
        throw error;
    }
  }
}

/**
 * The own properties of an object without a class. (The fields of a class may be private or accessors, which would be
 * ignored, and their defaults would apply unnoticed.)
 */
function ownProperties(object: unknown): [string, unknown][] | undefined {
  try {
    const prototype: unknown = Object.getPrototypeOf(object);
    const isPlain = typeof object === 'object' && (prototype === null || Object.getPrototypeOf(prototype) === null);
    // Symbols too, so that an option named by one is refused. A module's namespace has one that is not enumerable.
    const isEnumerable = (key: PropertyKey) => Object.prototype.propertyIsEnumerable.call(object, key);
    const keys = isPlain ? Reflect.ownKeys(object as object).filter(isEnumerable) : undefined;
    return keys?.map((key) => [String(key), read(object as object, key)]);
  } catch {
    // Null, or a proxy that throws.
    return undefined;
  }
}

function read(object: object, key: string | symbol): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return UNREADABLE;
  }
}
