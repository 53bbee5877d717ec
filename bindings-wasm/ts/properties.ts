/** Reading a stranger's object. */

import { show } from './show.js';

/** A property of a stranger's object. */
export interface Field {
  readonly key: string;
  readonly value: unknown;
  /** The value as a message shows it. */
  readonly shown: string;
}

/** An argument. */
export function field(key: string, value: unknown): Field {
  return { key, value, shown: show(value) };
}

/** What a plain object holds, each property read once; undefined for what is no plain object. */
export function propertiesOf(object: unknown): Field[] | undefined {
  return plainKeys(object)?.map((key) => readField(object as object, key));
}

/**
 * The keys of an object without a class. (One with a class may keep its fields where nobody can list them, and passing
 * over them would put defaults in force behind its author's back.)
 */
function plainKeys(object: unknown): (string | symbol)[] | undefined {
  try {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      return undefined;
    }
    const prototype: unknown = Object.getPrototypeOf(object);
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
    return plain ? Reflect.ownKeys(object) : undefined;
  } catch {
    // A proxy that cannot be read.
    return undefined;
  }
}

function readField(object: object, key: string | symbol): Field {
  try {
    const value: unknown = Reflect.get(object, key);
    return field(String(key), value);
  } catch {
    // No field takes an object, so the core refuses this one and names it.
    return { key: String(key), value: {}, shown: '(a getter that threw)' };
  }
}
