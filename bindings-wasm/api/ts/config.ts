/** The configuration of a circuit. The core alone knows the fields, their defaults and their checks. */

/** What a circuit may be configured with; a field that is left out or undefined has the core's default. */
export interface CircuitBreakerConfig {
  /** Identifies the circuit: 1 to 128 printable characters; `'default'` by default. */
  readonly name?: string | undefined;
  /** Consecutive failures that open the circuit: 1 to 65535, or null to switch this policy off; 5 by default. */
  readonly failureThreshold?: number | null | undefined;
  /** Consecutive probe successes that close the circuit: 1 to 255; 2 by default. */
  readonly successThreshold?: number | undefined;
  /** The wait in `open` before the first probe, in seconds: above 0, at most one year; 60 by default. */
  readonly timeoutSeconds?: number | undefined;
  /** Probes in flight at once: 1 to 255; 3 by default. */
  readonly halfOpenMaxCalls?: number | undefined;
  /** Failures / calls in the window that open the circuit: above 0, at most 1; none by default. */
  readonly failureRateThreshold?: number | null | undefined;
  /** A call that takes this long or longer, in seconds, is slow; none by default. */
  readonly slowCallSeconds?: number | null | undefined;
  /** Slow calls / calls in the window that open the circuit: above 0, at most 1; needs `slowCallSeconds`. */
  readonly slowCallRateThreshold?: number | null | undefined;
  /** What the rates look at: the last 1 to 10000 calls, or the last 1 to 3600 seconds; `{ calls: 100 }` by default. */
  readonly window?: Window | undefined;
  /** Below this many calls in the window no rate is judged; 10 by default. */
  readonly minimumCalls?: number | undefined;
  /** Each further opening in a row waits this many times longer: 1 to 10; 1 by default. */
  readonly timeoutMultiplier?: number | undefined;
  /** The longest wait, in seconds, that the multiplier, the jitter or a hint can make; an hour at least by default. */
  readonly maxTimeoutSeconds?: number | null | undefined;
  /** The wait is spread over ± this share of itself: 0 to 1; 0 by default. */
  readonly timeoutJitter?: number | undefined;
  /**
   * After this long without a sign of life from a probe, in seconds, slots that are all taken are taken back; the same
   * as `timeoutSeconds` by default.
   */
  readonly probeTimeoutSeconds?: number | null | undefined;
  /** A call cancelled after running this long, in seconds, counts as a failure; none by default. */
  readonly cancelFailureAfterSeconds?: number | null | undefined;
  /** Decide and count, but reject nothing; false by default. */
  readonly shadow?: boolean | undefined;
  /** Whether durations are kept, and the time of the last success; true by default. */
  readonly recordDurations?: boolean | undefined;
}

/** What the rates look at: the last calls, or the last seconds. */
export type Window = { readonly calls: number } | { readonly seconds: number };

/** A configuration in force: every field has its value. */
export type EffectiveConfig = {
  readonly [Field in keyof CircuitBreakerConfig]-?: Exclude<CircuitBreakerConfig[Field], undefined>;
};
