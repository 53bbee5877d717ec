/** The enumerations, the same in every language. */

// from make generate: typescript enums; do not edit
/**
 * The state of a circuit.
 *
 * - `closed`: Calls pass.
 * - `open`: Calls are rejected until the wait is over.
 * - `half_open`: A few calls pass as probes.
 */
export type State = 'closed' | 'open' | 'half_open';

/**
 * The mode of a circuit: automatic, or set by an operator.
 *
 * - `auto`: The state machine decides.
 * - `forced_open`: An operator holds it open.
 * - `disabled`: An operator lets every call pass.
 * - `shadow`: The state machine decides, but calls that it would reject are admitted and only counted.
 */
export type Mode = 'auto' | 'forced_open' | 'disabled' | 'shadow';

/**
 * The end of a call.
 *
 * - `success`: It did what was asked.
 * - `failure`: It failed, and the provider is to blame.
 * - `ignored`: It failed, and says nothing about the provider.
 * - `cancelled`: It was given up before it ended.
 */
export type Outcome = 'success' | 'failure' | 'ignored' | 'cancelled';

/**
 * The reason of a rejection.
 *
 * - `open`: The wait is not over.
 * - `probes_busy`: Every probe slot is taken.
 * - `forced_open`: An operator holds the circuit open.
 */
export type Reason = 'open' | 'probes_busy' | 'forced_open';

/**
 * The cause of a change of state.
 *
 * - `consecutive_failures`: The number of failures in a row reached `failureThreshold`.
 * - `failure_rate`: The share of failures in the window reached `failureRateThreshold`.
 * - `slow_call_rate`: The share of slow calls in the window reached `slowCallRateThreshold`.
 * - `timeout_elapsed`: The wait was over, and a call came.
 * - `probes_succeeded`: The number of probe successes in a row reached `successThreshold`.
 * - `probe_failed`: A probe failed.
 * - `probe_slow`: A probe succeeded, but slowly, and a slow-call rate is set.
 * - `forced`: An operator forced it open.
 * - `reset`: An operator reset it.
 * - `disabled`: An operator disabled it.
 */
export type Cause =
  | 'consecutive_failures'
  | 'failure_rate'
  | 'slow_call_rate'
  | 'timeout_elapsed'
  | 'probes_succeeded'
  | 'probe_failed'
  | 'probe_slow'
  | 'forced'
  | 'reset'
  | 'disabled';

/**
 * The stable code of an error.
 *
 * - `CIRCUIT_OPEN`: The circuit rejected the call.
 * - `CALL_TIMEOUT`: The call took longer than its deadline and was cut off.
 * - `INVALID_VALUE`: A value is not allowed.
 * - `NAME_CONFLICT`: A registry has a breaker of that name with another configuration.
 * - `REGISTRY_FULL`: A registry holds as many breakers as it may, and each is in use.
 * - `ALL_PROVIDERS_FAILED`: No provider of a pool answered the call.
 * - `PROVIDER_UNAVAILABLE`: A pool passed over a provider: it could not take the call.
 * - `STREAM_BROKEN`: A stream ended before its answer was complete.
 */
export type ErrorCode =
  | 'CIRCUIT_OPEN'
  | 'CALL_TIMEOUT'
  | 'INVALID_VALUE'
  | 'NAME_CONFLICT'
  | 'REGISTRY_FULL'
  | 'ALL_PROVIDERS_FAILED'
  | 'PROVIDER_UNAVAILABLE'
  | 'STREAM_BROKEN';
// end

/** Which build of the core is in use. */
export type BackendKind = 'native' | 'wasm';
