/** What a breaker is made with: the fields of the core, and helpers that only the host has. */

import { connectedBackend } from './backend.js';
import { type Classify, classifyBy, classifyByShape } from './classify.js';
import type { Clock } from './clock.js';
import type { CircuitBreakerConfig } from './config.js';
import { InvalidValueError } from './errors.js';
import type { Setup } from './executor.js';
import { formatValue } from './format-value.js';
import { type Fields, fieldsOf } from './host-values.js';

/** The helpers that a host may hand to a breaker. */
export interface HostOptions {
  /** Where the breaker reads the time; the platform's monotonic clock by default. */
  readonly clock?: Clock | undefined;
  /**
   * Says how a call ended that threw. By default what clients throw when their caller aborts is `cancelled`, a rejection by
   * a breaker is `ignored`, and any other error a `failure`. A classifier that throws, or returns anything else, is
   * reported, and the error counts as a failure.
   */
  readonly classify?: Classify | undefined;
  /** Whether rejections capture their stack, which takes longer than all else about them; false by default. */
  readonly captureStack?: boolean | undefined;
  /**
   * `'threads'` shares the circuit with the breakers of that name in all threads of this process that ask for the same;
   * native build only. Its clock is the system's.
   */
  readonly share?: 'threads' | undefined;
}

/** What a breaker is made with. */
export interface CircuitBreakerOptions extends CircuitBreakerConfig, HostOptions {}

interface Rule {
  readonly allowed: string;
  fits(value: unknown): boolean;
}

const RULES: ReadonlyMap<string, Rule> = new Map([
  ['clock', { allowed: 'an object with a method now() that returns milliseconds', fits: isClock }],
  ['classify', { allowed: 'a function', fits: (value) => typeof value === 'function' }],
  ['captureStack', { allowed: 'true or false', fits: (value) => typeof value === 'boolean' }],
  ['share', { allowed: "'threads', in the native build", fits: (value) => value === 'threads' && canShare() }],
]);

/**
 * Takes options apart into the core's fields and the rest.
 *
 * @throws InvalidValueError naming the option, for one that does not fit
 */
export function splitOptions(options: unknown): { config: Fields; host: Fields } {
  const fields = [...fieldsOf('options', options)];
  const host: Fields = new Map(fields.filter(([name]) => RULES.has(name)));
  check(host);
  return { config: new Map(fields.filter(([name]) => !RULES.has(name))), host };
}

/**
 * Options without the core's fields.
 *
 * @throws InvalidValueError naming the option, for one that does not fit or does not exist
 */
export function hostOptions(options: unknown): Fields {
  const fields = fieldsOf('options', options);
  check(fields);
  return fields;
}

/** What an executor needs of checked options. */
export function setupOf(host: Fields): Setup {
  // Not by an object, which would have what somebody has put on `Object.prototype`.
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

function check(host: Fields): void {
  for (const [name, value] of host) {
    const rule = RULES.get(name);
    if (rule === undefined) {
      throw new InvalidValueError(name, formatValue(value), `one of: ${[...RULES.keys()].join(', ')}`);
    }
    if (!rule.fits(value)) {
      throw new InvalidValueError(name, formatValue(value), rule.allowed);
    }
  }
}

function isClock(value: unknown): boolean {
  try {
    return typeof (value as Clock).now === 'function';
  } catch {
    return false;
  }
}

function canShare(): boolean {
  return connectedBackend().createShared !== undefined;
}
