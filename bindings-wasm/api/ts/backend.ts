/** What a build of the core offers: numbers for every call, plain values for everything else. */

import type { Clock } from './clock.js';
import type { EffectiveConfig } from './config.js';
import type { BackendKind, Mode, State } from './enums.js';
import type { DurationsByOutcome, EventReading, StatusReading } from './status.js';

/** A value without getters, classes or cycles. NaN stands for what no field takes and JSON cannot say. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/**
 * One circuit. It never calls its host. Methods that take `millis` are told the time; NaN says that nobody has read the
 * clock. Where a value is refused they throw a {@link Refusal}, and nothing else.
 */
export interface Circuit {
  /**
   * Asks for a permit. The answer is its number (see `codes.ts`), `NEEDS_TIME`, or a code below that for the reason of a
   * rejection.
   */
  enter(millis: number): number;
  /** The same for a call made inside the one that holds the permit `outer`. */
  enterInside(outer: number, millis: number): number;
  /** The seconds that the last rejection said to wait; a negative number where nobody can tell. */
  retryAfter(): number;
  /** Whether every call needs the time, so that asking without it is in vain. */
  isTimed(): boolean;
  /** Settles a permit: 1; 0 where it is not out (any more); or `NEEDS_TIME`, and then nothing has changed. */
  settle(permit: number, outcome: number, millis: number): number;
  /** Settles a permit with a failure that asked to be left alone for so many seconds; false where it is not out. */
  fail(permit: number, retryAfterSeconds: Plain, millis: number): boolean;
  /** Begins a time in which the provider has no part. */
  pause(permit: number, millis: number): void;
  /** Ends that time. */
  resume(permit: number, millis: number): void;
  state(millis: number): State;
  mode(millis: number): Mode;
  status(millis: number): StatusReading;
  config(): EffectiveConfig;
  events(after: number): EventReading[];
  durations(): DurationsByOutcome;
  percentile(share: Plain, outcome: Plain): number | null;
  explain(millis: number): string;
  isIdle(millis: number): boolean;
  forceOpen(durationSeconds: Plain, millis: number): void;
  disable(millis: number): void;
  reset(millis: number): void;
  reconfigure(config: Plain, millis: number): void;
  matches(config: Plain): boolean;
  snapshot(millis: number): Plain;
  restore(document: string, millis: number): void;
  /** Where other threads change the circuit: calls `wake` after each of their transitions; returns what ends that. */
  watch?(wake: () => void): () => void;
}

/** What a circuit throws for a value that it refuses; the field is spelled as in JavaScript. */
export interface Refusal {
  readonly code: 'INVALID_VALUE';
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}

/** A build of the core. */
export interface Backend {
  readonly kind: BackendKind;
  /** The clock of circuits whose user gave none; undefined where the build reads the system's. */
  readonly clock: Clock | undefined;
  /** The most milliseconds that a clock can mean. */
  readonly latestMillis: number;
  /** A closed circuit; with NaN for the time, on the build's own clock. */
  create(config: Plain, millis: number): Circuit;
  /** A handle on the circuit that the threads of this process share by that name; absent where there is no such thing. */
  createShared?(config: Plain): Circuit;
  /** Throws a RangeError where the stack has no room for a call of the core; absent where the core has a stack of its own. */
  checkStack?(frames: number): void;
}

/** Which build of the core is in use. */
export let backend: BackendKind;

let connected: Backend | undefined;

/** Chooses the build. The entry of a package does it once, before anyone can make a breaker. */
export function connect(chosen: Backend): void {
  connected = chosen;
  backend = chosen.kind;
}

/** The build in use. */
export function connectedBackend(): Backend {
  if (connected === undefined) {
    throw new Error('halfopen was loaded without one of its entries');
  }
  return connected;
}
