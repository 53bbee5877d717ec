/** The options of a breaker: the core's configuration, and helpers of the host. */

import { connectedBackend } from './backend.js';
import { type Classifier, type Classify, classifyBy, classifyByShape } from './classify.js';
import type { Clock } from './clock.js';
import type { CircuitBreakerConfig } from './config.js';
import { InvalidValueError } from './errors.js';
import { formatValue } from './format-value.js';
import { type Fields, fieldsOf } from './host-values.js';

/** The options that only JavaScript has. */
export interface HostOptions {
  /** The clock of the breaker; the platform's monotonic clock by default. */
  readonly clock?: Clock | undefined;
  /**
   * Returns the outcome of a call that threw. By default the errors that clients throw on abort are `cancelled`, a
   * rejection by a breaker is `ignored`, and any other error is a `failure`. If a classifier throws or returns anything
   * else, that is reported as a warning, and the error counts as a failure.
   */
  readonly classify?: Classify | undefined;
  /** Whether rejections capture a stack, which takes longer than the rest of a rejection; false by default. */
  readonly captureStack?: boolean | undefined;
  /**
   * `'threads'` shares the circuit with all breakers of the same name in this process that have this option. Node only;
   * the circuit reads the system's clock.
   */
  readonly share?: 'threads' | undefined;
}

/** The options of a breaker. */
export interface CircuitBreakerOptions extends CircuitBreakerConfig, HostOptions {}

/** The options of a breaker besides its configuration, with their defaults. */
export interface Setup {
  readonly clock: Clock | undefined;
  readonly classify: Classifier;
  readonly captureStack: boolean;
  readonly share: 'threads' | undefined;
}

/** The allowed values of each option. */
export type Rules = ReadonlyMap<string, readonly [allowed: string, fits: (value: unknown) => boolean]>;

const RULES: Rules = new Map([
  [
    'clock',
    ['an object with a method now() that returns milliseconds', (value) => typeOf(value, 'now') === 'function'],
  ],
  ['classify', ['a function', (value) => typeof value === 'function']],
  ['captureStack', ['true or false', (value) => typeof value === 'boolean']],
  ['share', ["'threads', in the native build", (value) => value === 'threads' && !!connectedBackend().share]],
]);

/**
 * Splits options into the core's configuration and the rest.
 *
 * @throws InvalidValueError naming the option, for one that does not fit
 */
export function splitOptions(options: unknown): { config: Fields; host: Fields } {
  const fields = [...fieldsOf('options', options)];
  const host: Fields = new Map(fields.filter(([name]) => RULES.has(name)));
  check(host, RULES);
  return { config: new Map(fields.filter(([name]) => !RULES.has(name))), host };
}

/**
 * The properties of options, by default of those that only JavaScript has.
 *
 * @throws InvalidValueError naming the option, for one that does not fit or does not exist
 */
export function checkedOptions(options: unknown, rules = RULES): Fields {
  const fields = fieldsOf('options', options);
  check(fields, rules);
  return fields;
}

/** The part of the checked options that an executor needs. */
export function setupOf(host: Fields): Setup {
  // From the map, because an object would inherit from a polluted `Object.prototype`.
  const option = <Name extends keyof HostOptions>(name: Name) => host.get(name) as HostOptions[Name];
  const clock = option('clock');
  const classify = option('classify');
  const share = option('share');
  if (clock !== undefined && share !== undefined) {
    throw new InvalidValueError('clock', formatValue(clock), "nothing where share is 'threads'");
  }
  return {
    clock,
    classify: classify === undefined ? classifyByShape : classifyBy(classify),
    captureStack: option('captureStack') ?? false,
    share,
  };
}

function check(fields: Fields, rules: Rules): void {
  for (const [name, value] of fields) {
    const [allowed, fits] = rules.get(name) ?? [`one of: ${[...rules.keys()].join(', ')}`, () => false];
    if (!fits(value)) {
      throw new InvalidValueError(name, formatValue(value), allowed);
    }
  }
}

/** The type of a property; undefined if it cannot be read. */
export function typeOf(value: unknown, property: string): string | undefined {
  try {
    return typeof (value as Record<string, unknown>)[property];
  } catch {
    return undefined;
  }
}
