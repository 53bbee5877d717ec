/** The options of a breaker: the core's configuration, and helpers of the host. */

import { connected } from './backend.js';
import type { Classify } from './classify.js';
import type { Clock } from './clock.js';
import type { CircuitBreakerConfig } from './config.js';
import { check } from './format-value.js';
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

/** The allowed values of each option. A check that throws accepts nothing. */
export type Rules = ReadonlyMap<string, readonly [allowed: string, fits: (value: unknown) => boolean]>;

const RULES: Rules = new Map([
  ['clock', ['an object with a plain method now(), in milliseconds', (it) => isPlainFunction((it as Clock).now)]],
  ['classify', ['a plain function from an error to an outcome', isPlainFunction]],
  ['captureStack', ['true or false', (value) => typeof value === 'boolean']],
  ['share', ["'threads', in the native build", (value) => value === 'threads' && !!connected.share]],
]);

/**
 * Splits options into the core's configuration and the rest.
 *
 * @throws InvalidValueError naming the option, for one that does not fit
 */
export function splitOptions(options: CircuitBreakerOptions): [config: Fields, host: HostOptions] {
  const { clock, classify, captureStack, share, ...config } = fieldsOf('options', options);
  const host = checkedOptions({ clock, classify, captureStack, share } as HostOptions);
  check(
    clock === undefined || share === undefined,
    'clock',
    clock,
    "no clock beside share: 'threads', which uses the system's",
  );
  return [config, host];
}

/**
 * The properties of options, without a prototype; by default of those that only JavaScript has.
 *
 * @throws InvalidValueError naming the option, for one that does not fit or does not exist
 */
export function checkedOptions<Options extends object>(options: Options, rules = RULES): Options {
  const fields = fieldsOf('options', options);
  for (const [name, value] of Object.entries(fields)) {
    const [allowed, fits] = rules.get(name) ?? [`one of: ${[...rules.keys()].join(', ')}`, () => false];
    check(accepts(fits, value), name, value, allowed);
  }
  return fields as Options;
}

function accepts(fits: (value: unknown) => boolean, value: unknown): boolean {
  try {
    return fits(value);
  } catch {
    // Null, or a proxy that throws.
    return false;
  }
}

/** Whether it is a function whose answer comes at once: no class, no async function, no generator function. */
function isPlainFunction(value: unknown): boolean {
  return isCallable(value) && !/Async|Generator/.test(Object.prototype.toString.call(value));
}

/** Whether it is a function, but no class. */
export function isCallable(value: unknown): boolean {
  return typeof value === 'function' && !isClass(value);
}

/** Whether it is a class, which cannot be called, or a constructor of the language, such as `Error`. */
function isClass(value: object): boolean {
  try {
    // A frozen function has such a prototype too.
    const hasFixedPrototype = Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
    return hasFixedPrototype && /^class\b|\[native code\]\s*\}$/.test(Function.prototype.toString.call(value));
  } catch {
    // A proxy may throw.
    return false;
  }
}
