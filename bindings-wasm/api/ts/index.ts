/**
 * A circuit breaker that cannot get stuck.
 *
 * @packageDocumentation
 */

import { CircuitBreaker } from './breaker.js';
import { ManualClock } from './clock.js';
import * as errors from './errors.js';
import { Permit } from './permit.js';
import { Registry } from './registry.js';

// By hand, because a minifier renames classes: logs show their names, and an error has its name from its prototype.
for (const [value, type] of Object.entries({ ...errors, CircuitBreaker, ManualClock, Permit, Registry })) {
  Object.defineProperty(type, 'name', { value, configurable: true });
  if (type.prototype instanceof errors.HalfopenError) {
    Object.defineProperty(type.prototype, 'name', { value, configurable: true, writable: true });
  }
}

export { backend } from './backend.js';
export type { CallOptions } from './breaker.js';
export type { Classify, Signal } from './classify.js';
export type { Clock } from './clock.js';
export type { CircuitBreakerConfig, EffectiveConfig, Window } from './config.js';
export type { BackendKind, Cause, ErrorCode, Mode, Outcome, Reason, State } from './enums.js';
export * from './errors.js';
export type { TransitionListener } from './listeners.js';
export type { CircuitBreakerOptions, HostOptions } from './options.js';
export type { Durations, DurationsByOutcome, Status, TransitionEvent } from './status.js';
export { CircuitBreaker, ManualClock, type Permit, Registry };
