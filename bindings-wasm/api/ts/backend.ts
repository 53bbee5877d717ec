/** What a build of the core offers: numbers for every call, plain values for everything else. */

import type { Clock } from './clock.js';
import type { EffectiveConfig } from './config.js';
import type { BackendKind, Mode, State } from './enums.js';
import type { DurationsByOutcome, EventReading, StatusReading } from './status.js';

/** A value without getters, classes or cycles. NaN stands for what no field takes and JSON cannot say. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/**
 * One circuit. It never calls its host. `millis` is the time, or NaN if the clock was not read. A method throws a
 * {@link Refusal} if it refuses a value, and nothing else.
 */
export interface Circuit {
  /**
   * Asks for a permit. The answer is its number (see `codes.ts`), `NEEDS_TIME`, or a code below that for the reason of
   * a rejection.
   */
  enter(millis: number): number;
  /** The same for a call nested in the one with the permit `outer`. */
  enterInside(outer: number, millis: number): number;
  /** The wait of the last rejection, in seconds; negative if it has no known end. */
  retryAfter(): number;
  /** Whether every call needs the time. */
  isTimed(): boolean;
  /** Settles a permit and returns 1; 0 if it was settled before; or `NEEDS_TIME`, and then nothing has changed. */
  settle(permit: number, outcome: number, millis: number): number;
  /**
   * Settles a permit with a failure whose provider asked for a wait of so many seconds; false if it was settled before.
   */
  fail(permit: number, retryAfterSeconds: Plain, millis: number): boolean;
  /** Stops the duration of a call. */
  pause(permit: number, millis: number): void;
  /** Lets the duration run on. */
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
  /** The first field whose value in `config` differs from the one in force. */
  difference(config: Plain): string | null | undefined;
  snapshot(millis: number): Plain;
  restore(document: string, millis: number): void;
  /**
   * For shared circuits: calls `wake` after each transition that another thread makes; returns a function that ends
   * that.
   */
  watch?(wake: () => void): () => void;
}

/**
 * The names of a registry, and what the core decides about them. It never calls its host, and throws a {@link Refusal}
 * for a bound that it refuses.
 */
export interface RegistryPolicy {
  bound(): number;
  /** Changes the bound, and begins a search for what to evict. */
  setBound(bound: Plain): void;
  /** Adds a name; false if it would be one too many. */
  add(name: string): boolean;
  remove(name: string): void;
  /** Begins a search for a name to evict. */
  makeRoom(): void;
  /** Begins a search for every name to evict. */
  searchAll(): void;
  /** The next name of the newest search, which the host removes if its breaker is idle; nothing at its end. */
  nextLook(): string | null | undefined;
  size(): number;
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
  /** The default clock; undefined if the build reads the system's clock itself. */
  readonly clock: Clock | undefined;
  /** The most milliseconds that a clock can mean. */
  readonly latestMillis: number;
  /** A closed circuit; with NaN for the time, on the build's own clock. */
  create(config: Plain, millis: number): Circuit;
  /** The policy of an empty registry. */
  createRegistry(bound: Plain): RegistryPolicy;
  /** A handle on the circuit of that name that all threads of this process share; absent in browsers. */
  createShared?(config: Plain): Circuit;
  /** Throws a RangeError if the stack has no room for a call of the core; absent if the build needs no check. */
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
