/**
 * Permits that are collected as garbage are settled as cancelled.
 *
 * To register one with a `FinalizationRegistry` takes twenty times as long as to hand it out and settle it, and most are
 * settled before anything else happens. So the newest permit is registered when its turn of the event loop ends, or
 * when the next permit comes.
 */

import { CANCELLED } from './codes.js';
import type { Executor } from './executor.js';

/** A permit, as far as this file needs to know it. */
interface Trackable {
  track(): void;
}

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

let newest: Trackable | undefined;
let isTurnOpen = false;

/** Takes in a permit that was just handed out. */
export function trackPermit(permit: Trackable): void {
  newest?.track();
  newest = permit;
  if (!isTurnOpen) {
    isTurnOpen = true;
    Promise.resolve().then(endTurn);
  }
}

function endTurn(): void {
  isTurnOpen = false;
  newest?.track();
  newest = undefined;
}

/** Registers a permit. */
export function track(permit: Trackable, executor: WeakRef<Executor>, number: number): void {
  registry?.register(permit, { executor, number }, permit);
}

/** Takes a permit that was settled out of the registry. */
export function forget(permit: Trackable): void {
  registry?.unregister(permit);
}
