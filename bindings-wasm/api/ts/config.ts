/** The configuration of a circuit. The core alone knows the fields, their defaults and their checks. */

/** The configuration of a circuit; a field that is left out or undefined has the core's default. */
export interface CircuitBreakerConfig {
  // from make generate: typescript fields; do not edit
  /** Identifies the circuit. Allowed: 1 to 128 printable characters. Default: `'default'`. */
  readonly name?: string | undefined;
  /**
   * Consecutive failures that open the circuit; null switches this policy off. Allowed: a whole number from 1 to 65535,
   * or null while another policy is on. Default: 5.
   */
  readonly failureThreshold?: number | null | undefined;
  /** Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255. Default: 2. */
  readonly successThreshold?: number | undefined;
  /**
   * How long an open circuit waits before the first probe. Allowed: a number of seconds above 0, at most 31536000 (one
   * year). Default: 60.
   */
  readonly timeoutSeconds?: number | undefined;
  /** Probes in flight at once. Allowed: a whole number from 1 to 255. Default: 3. */
  readonly halfOpenMaxCalls?: number | undefined;
  /**
   * Failures / calls in the window that open the circuit. Allowed: a number above 0, at most 1, or null. Default: null.
   */
  readonly failureRateThreshold?: number | null | undefined;
  /**
   * A call that takes this long or longer is slow. Allowed: a number of seconds above 0 (and below 584 years), or null.
   * Default: null.
   */
  readonly slowCallSeconds?: number | null | undefined;
  /**
   * Slow calls / calls in the window that open the circuit; needs `slowCallSeconds`. Allowed: a number above 0, at most
   * 1, or null. Default: null.
   */
  readonly slowCallRateThreshold?: number | null | undefined;
  /**
   * The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set.
   * Allowed: `{ calls: 1 to 10000 }` or `{ seconds: 1 to 3600 }`. Default: `{ calls: 100 }`.
   */
  readonly window?: Window | undefined;
  /**
   * Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set.
   * Allowed: a whole number, at least 1. Default: 10.
   */
  readonly minimumCalls?: number | undefined;
  /** Each further opening waits this many times longer. Allowed: a number from 1 to 10. Default: 1. */
  readonly timeoutMultiplier?: number | undefined;
  /**
   * The longest wait that the multiplier, the jitter or a hint can produce. Allowed: a number of seconds, at least
   * `timeoutSeconds`, or null for one hour or `timeoutSeconds` if that is more. Default: null.
   */
  readonly maxTimeoutSeconds?: number | null | undefined;
  /** The wait is spread over ± this share of itself. Allowed: a number from 0 to 1. Default: 0. */
  readonly timeoutJitter?: number | undefined;
  /**
   * If all slots are taken and there was no probe activity for this long, the slots are reclaimed. Allowed: a number of
   * seconds above 0 (and below 584 years), or null for the same as `timeoutSeconds`. Default: null.
   */
  readonly probeTimeoutSeconds?: number | null | undefined;
  /**
   * A call cancelled after running this long counts as a failure. Allowed: a number of seconds above 0 (and below 584
   * years), or null. Default: null.
   */
  readonly cancelFailureAfterSeconds?: number | null | undefined;
  /** Decide and count, but reject nothing. Allowed: true or false. Default: false. */
  readonly shadow?: boolean | undefined;
  /**
   * Record durations and the time of the last success; if off, the clock is read only where a rule needs it. Allowed:
   * true or false. Default: true.
   */
  readonly recordDurations?: boolean | undefined;
  // end
}

/** The names of the fields that can be reconfigured: all but the name. */
export const RECONFIGURED = [
  // from make generate: typescript names; do not edit
  'failureThreshold',
  'successThreshold',
  'timeoutSeconds',
  'halfOpenMaxCalls',
  'failureRateThreshold',
  'slowCallSeconds',
  'slowCallRateThreshold',
  'window',
  'minimumCalls',
  'timeoutMultiplier',
  'maxTimeoutSeconds',
  'timeoutJitter',
  'probeTimeoutSeconds',
  'cancelFailureAfterSeconds',
  'shadow',
  'recordDurations',
  // end
];

/** The window of the rates: the last calls, or the last seconds. */
export type Window = { readonly calls: number } | { readonly seconds: number };

/** A configuration in force: every field has its value. */
export type EffectiveConfig = {
  readonly [Field in keyof CircuitBreakerConfig]-?: Exclude<CircuitBreakerConfig[Field], undefined>;
};
