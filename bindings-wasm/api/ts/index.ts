/**
 * A circuit breaker that cannot get stuck.
 *
 * @packageDocumentation
 */

export { backend } from './backend.js';
export { type CallOptions, CircuitBreaker } from './breaker.js';
export type { Classify, Signal } from './classify.js';
export { type Clock, ManualClock } from './clock.js';
export type { CircuitBreakerConfig, EffectiveConfig, Window } from './config.js';
export type { BackendKind, Cause, ErrorCode, Mode, Outcome, Reason, State } from './enums.js';
export {
  CircuitBreakerOpenError,
  HalfopenError,
  InvalidValueError,
  NameConflictError,
  RegistryFullError,
} from './errors.js';
export type { TransitionListener } from './listeners.js';
export type { CircuitBreakerOptions, HostOptions } from './options.js';
export type { Permit } from './permit.js';
export { Registry } from './registry.js';
export type { Durations, DurationsByOutcome, Status, TransitionEvent } from './status.js';
