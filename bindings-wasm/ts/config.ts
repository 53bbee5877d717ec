/** A configuration on its way to the core, which alone knows the fields, their defaults and their checks. */

import type { Flat, Refusal } from './backend.js';
import { InvalidValueError } from './errors.js';
import { camelCase, inCamelCase, snakeCase } from './names.js';
import { show } from './show.js';

/** What a circuit may be configured with; a field that is left out or undefined has the core's default. */
export interface CircuitBreakerConfig {
  /** Identifies the circuit: 1 to 128 printable characters; `'default'` by default. */
  readonly name?: string | undefined;
  /** Consecutive failures that open the circuit: 1 to 65535, or null to switch this policy off; 5 by default. */
  readonly failureThreshold?: number | null | undefined;
  /** Consecutive probe successes that close the circuit: 1 to 255; 2 by default. */
  readonly successThreshold?: number | undefined;
  /** The wait in `open` before the first probe, in seconds: above 0, at most one year; 60 by default. */
  readonly timeoutSeconds?: number | undefined;
  /** Probes in flight at once: 1 to 255; 3 by default. */
  readonly halfOpenMaxCalls?: number | undefined;
  /**
   * After this long without a settled probe, in seconds, slots that are all taken are taken back; the same as
   * `timeoutSeconds` by default.
   */
  readonly probeTimeoutSeconds?: number | null | undefined;
}

/** A configuration in force: every field has its value. */
export type EffectiveConfig = {
  readonly [Field in keyof CircuitBreakerConfig]-?: Exclude<CircuitBreakerConfig[Field], undefined>;
};

/** A property of a stranger's object. */
export interface Field {
  readonly key: string;
  readonly value: unknown;
  /** The value as a message shows it. */
  readonly shown: string;
}

/**
 * What a plain object holds, read once and with no trust in it.
 *
 * @throws InvalidValueError naming the argument, for what is no plain object
 */
export function fieldsOf(argument: string, object: unknown): Field[] {
  const keys = plainKeys(object);
  if (keys === undefined) {
    throw new InvalidValueError(argument, show(object), 'a plain object');
  }
  const fields = keys.map((key) => readField(object as object, key));
  return fields.filter(({ value }) => value !== undefined);
}

/** Names and values in turn, for the core. */
export function crossing(fields: readonly Field[]): Flat {
  return fields.flatMap(({ key, value }) => [short(snakeCase(key)), short(value)]);
}

/** The error for what the core refused. */
export function refused([name, allowed]: Refusal, fields: readonly Field[]): InvalidValueError {
  const field = fields.find(({ key }) => short(snakeCase(key)) === name);
  return new InvalidValueError(field?.key ?? camelCase(name), field?.shown ?? '(none)', inCamelCase(allowed));
}

/** More than any field takes; a longer text is refused as well as a whole one, and need not be copied. */
const LONGEST_TEXT = 1024;

function short<T>(value: T): T | string {
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : value;
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
    return { key: String(key), value, shown: show(value) };
  } catch {
    // No field takes an object, so the core refuses this one and names it.
    return { key: String(key), value: {}, shown: '(a getter that threw)' };
  }
}
