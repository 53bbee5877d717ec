/** The words of a breaker, the same in every language. */

/** Where a circuit stands: calls pass, are rejected, or a few of them pass as probes. */
export type State = 'closed' | 'open' | 'half_open';

/** Who decides about a circuit: the machine (in `shadow` it rejects nothing), or an operator. */
export type Mode = 'auto' | 'forced_open' | 'disabled' | 'shadow';

/** Why a circuit changed its state. */
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

/** Why a call was rejected. */
export type Reason = 'open' | 'probes_busy' | 'forced_open';

/** How a call ended; the last two say nothing about the provider. */
export type Outcome = 'success' | 'failure' | 'ignored' | 'cancelled';

/** What an error of this package is; stable, and the same in every language. */
export type ErrorCode = 'CIRCUIT_OPEN' | 'INVALID_VALUE' | 'NAME_CONFLICT' | 'REGISTRY_FULL';

/** Which build of the core is in use. */
export type BackendKind = 'native' | 'wasm';
