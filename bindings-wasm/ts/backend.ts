/** The core as the two builds of it show it: numbers, names in the core's spelling, and flat lists. */

import type { Clock } from './clock.js';
import type { BackendKind } from './vocabulary.js';

/** Names and values in turn. */
export type Flat = readonly unknown[];

/** What was refused: the field in the core's spelling, what is allowed, and the value as the core saw it. */
export type Refusal = readonly [field: string, allowed: string, value: unknown];

/** One circuit. Nothing in it runs host code, throws, or reads a host's clock. */
export interface Backend {
  /** What time it is, in milliseconds; false, and no time has passed, where no clock can mean that. */
  tell(millis: number): boolean;
  /** The number of a ticket, or a negative number where the call is rejected. */
  enter(): number;
  /** Of the last rejection the reason, and the seconds to wait or null. */
  rejection(): readonly [reason: string, retryAfter: number | null] | null;
  /** False where there is no such ticket (any more); `outcome` counts from 0 in the order of `OUTCOMES`. */
  settle(ticket: number, outcome: number): boolean;
  state(): string;
  mode(): string;
  status(): Flat;
  config(): Flat;
  events(after: number): readonly Flat[];
  /** For each outcome: its name, the calls, all their seconds, and bounds and counts of the buckets in turn. */
  durations(): readonly (readonly [outcome: string, calls: number, seconds: number, buckets: readonly number[]])[];
  /** The seconds, null where nothing was measured, or the refusal of a bad value. */
  percentile(share: unknown, outcome: unknown): number | null | Refusal;
  /** Whether it holds nothing against the next calls. */
  isIdle(): boolean;
  /** Null, or the refusal of a bad value. */
  forceOpen(seconds: unknown): Refusal | null;
  /** As `settle` with a failure that asked to be left alone for so many seconds; or the refusal of those. */
  fail(ticket: number, retryAfter: unknown): boolean | Refusal;
  reconfigure(fields: Flat): Refusal | null;
  /** Whether a circuit of these fields would have the configuration in force; or the refusal of a bad value. */
  matches(fields: Flat): boolean | Refusal;
  /** Lists and maps cross as arrays that begin with the word `list` or `map`: see `structure.ts`. */
  snapshot(): unknown;
  restore(document: unknown): Refusal | null;
  explain(): string;
  disable(): void;
  reset(): void;
}

/** A build of the core. */
export interface Provider {
  readonly kind: BackendKind;
  /** The clock that is told to a circuit whose user gave none; null where the build has its own. */
  readonly clock: Clock | null;
  /** A closed circuit, or the refusal of a bad value. `told` says that it is told the time. */
  create(fields: Flat, told: boolean): Backend | Refusal;
}

let connected: Provider | undefined;

/** Chooses the build. An entry of a package does it once, before anybody can make a breaker. */
export function connect(provider: Provider): BackendKind {
  connected = provider;
  return provider.kind;
}

/** The build in use. */
export function provider(): Provider {
  if (connected === undefined) {
    throw new Error('halfopen was loaded without one of its entries');
  }
  return connected;
}

/** Whether the core refused. */
export function isRefusal<T>(made: T | Refusal): made is Refusal {
  return Array.isArray(made);
}
