/**
 * A circuit breaker that cannot get stuck.
 *
 * @packageDocumentation
 */

import { CircuitBreaker } from './breaker.js';
import { ManualClock } from './clock.js';
import {
  CircuitBreakerOpenError,
  HalfopenError,
  InvalidValueError,
  NameConflictError,
  RegistryFullError,
} from './errors.js';
import { Permit } from './permit.js';
import { Registry } from './registry.js';

// Logs show the names of classes, and a minifier renames them.
for (const [name, type] of Object.entries({
  CircuitBreaker,
  CircuitBreakerOpenError,
  HalfopenError,
  InvalidValueError,
  ManualClock,
  NameConflictError,
  Permit,
  Registry,
  RegistryFullError,
})) {
  Object.defineProperty(type, 'name', { value: name, configurable: true });
}

export { backend } from './backend.js';
export type { CallOptions } from './breaker.js';
export type { Classify, Signal } from './classify.js';
export type { Clock } from './clock.js';
export type { CircuitBreakerConfig, EffectiveConfig, Window } from './config.js';
export type { BackendKind, Cause, ErrorCode, Mode, Outcome, Reason, State } from './enums.js';
export type { TransitionListener } from './listeners.js';
export type { CircuitBreakerOptions, HostOptions } from './options.js';
export type { Durations, DurationsByOutcome, Status, TransitionEvent } from './status.js';
export {
  CircuitBreaker,
  CircuitBreakerOpenError,
  HalfopenError,
  InvalidValueError,
  ManualClock,
  NameConflictError,
  type Permit,
  Registry,
  RegistryFullError,
};
