/**
 * A circuit breaker that cannot get stuck.
 *
 * @packageDocumentation
 */

export { CircuitBreaker } from './breaker.js';
export { type Clock, ManualClock } from './clock.js';
export type { CircuitBreakerConfig, EffectiveConfig, Window } from './config.js';
export {
  CircuitBreakerOpenError,
  HalfopenError,
  InvalidValueError,
  NameConflictError,
  RegistryFullError,
} from './errors.js';
export type { Classify } from './judge.js';
export type { TransitionListener } from './listeners.js';
export type { CircuitBreakerOptions } from './options.js';
export type { Permit } from './permit.js';
export { Registry } from './registry.js';
export type { Durations, DurationsByOutcome, Status, TransitionEvent } from './status.js';
export type { BackendKind, Cause, ErrorCode, Mode, Outcome, Reason, State } from './vocabulary.js';
