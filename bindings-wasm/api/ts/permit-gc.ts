/**
 * Permits that are collected as garbage are settled as cancelled.
 *
 * Registering a permit with a `FinalizationRegistry` takes twenty times as long as acquiring and settling it, and most
 * are settled at once. So the newest permit is registered only when its turn of the event loop ends, or when the next
 * permit is acquired.
 */

import { CANCELLED } from './codes.js';
import type { Executor } from './executor.js';
import type { Permit } from './permit.js';

interface Forgotten {
  /** Weak, because a registry keeps what it holds alive, and a breaker may reach its permits through its listeners. */
  readonly executor: WeakRef<Executor>;
  readonly number: number;
}

// Some edge runtimes have no such class.
const registry =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<Forgotten>(({ executor, number }) => executor.deref()?.settle(number, CANCELLED));

let newest: Permit | undefined;

/** Tracks a permit that was just acquired. */
export function trackPermit(permit: Permit): void {
  const before = newest;
  newest = permit;
  if (before === undefined) {
    Promise.resolve().then(endTurn);
  } else {
    before.track();
  }
}

function endTurn(): void {
  newest?.track();
  newest = undefined;
}

/** Registers a permit. */
export function track(permit: Permit, executor: WeakRef<Executor>, number: number): void {
  registry?.register(permit, { executor, number }, permit);
}

/** Removes a settled permit from the registry. */
export function forget(permit: Permit): void {
  registry?.unregister(permit);
}
