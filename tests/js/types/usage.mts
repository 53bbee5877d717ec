/** Uses that the types allow and forbid; compiled, never run. */

import {
  type backend,
  type Cause,
  CircuitBreaker,
  CircuitBreakerOpenError,
  type Clock,
  type Durations,
  type ErrorCode,
  HalfopenError,
  InvalidValueError,
  ManualClock,
  type Mode,
  type Outcome,
  type Permit,
  type Reason,
  Registry,
  type State,
  type Status,
} from 'halfopen';

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
declare function is<_T extends true>(): void;

const clock: Clock = new ManualClock();
const breaker = new CircuitBreaker({
  name: 'gemini',
  failureThreshold: null,
  timeoutSeconds: 1.5,
  clock,
  classify: (error: unknown) => (error instanceof RangeError ? 'ignored' : 'failure'),
});
new CircuitBreaker();
new CircuitBreaker({ name: undefined, clock: undefined });
new CircuitBreaker({ clock: Date, captureStack: true });
new CircuitBreaker({ name: 'for all threads', share: 'threads' });

// The result is what awaiting the function's own result gives.
const number = breaker.call(() => 1 + 2);
is<Same<typeof number, Promise<number>>>();
const text = breaker.call(async () => 'a', { signal: { aborted: false, reason: undefined } });
is<Same<typeof text, Promise<string>>>();
const thenable = breaker.call((): PromiseLike<boolean> => Promise.resolve(true));
is<Same<typeof thenable, Promise<boolean>>>();

const stream = breaker.call(async function* () {
  yield 1;
});
is<Same<typeof stream, Promise<AsyncGenerator<number, void, unknown>>>>();

// Wrapping keeps parameters and `this`.
const client = {
  base: 'a',
  get(this: { base: string }, path: string, _retries?: number): Promise<string> {
    return Promise.resolve(this.base + path);
  },
};
const get = breaker.wrap(client.get);
is<Same<typeof get, (this: { base: string }, path: string, _retries?: number) => Promise<string>>>();
const plain = breaker.wrap((n: number) => n > 0);
is<Same<typeof plain, (this: unknown, n: number) => Promise<boolean>>>();

const permit: Permit = breaker.acquire();
breaker.acquire({ inside: permit }).cancel();
breaker.call(() => 1, { inside: permit });
const first: boolean =
  permit.success() || permit.failure() || permit.ignore() || permit.cancel() || permit.settle('failure', 1);
{
  using scoped = breaker.acquire();
  scoped.success();
}

is<Same<typeof breaker.state, State>>();
is<Same<typeof breaker.mode, Mode>>();
is<Same<State, 'closed' | 'open' | 'half_open'>>();
is<Same<Mode, 'auto' | 'forced_open' | 'disabled' | 'shadow'>>();
const stop: () => boolean = breaker.subscribe((event) => event.toState satisfies State);
stop();
breaker.restore(breaker.snapshot());
breaker.reconfigure({ window: { seconds: 60 }, failureRateThreshold: 0.5 });
// @ts-expect-error a window has one of two shapes
breaker.reconfigure({ window: { minutes: 1 } });
is<Same<Outcome, 'success' | 'failure' | 'ignored' | 'cancelled'>>();
is<Same<Reason, 'open' | 'probes_busy' | 'forced_open'>>();
is<
  Same<
    ErrorCode,
    | 'CIRCUIT_OPEN'
    | 'CALL_TIMEOUT'
    | 'INVALID_VALUE'
    | 'NAME_CONFLICT'
    | 'REGISTRY_FULL'
    | 'ALL_PROVIDERS_FAILED'
    | 'PROVIDER_UNAVAILABLE'
    | 'STREAM_BROKEN'
  >
>();
is<Same<typeof backend, 'native' | 'wasm'>>();
const status: Status = breaker.status();
const wait: number | null = status.retryAfterSeconds;
const when: Date | null = status.lastFailureTime;
const cause: Cause | undefined = breaker.events(1)[0]?.cause;
const histogram: Durations = breaker.durations().success;
const median: number | null = breaker.percentile(0.5) ?? breaker.percentile(0.5, 'failure');
// @ts-expect-error no duration is kept of a call that was given up
breaker.percentile(0.5, 'cancelled');
const registry = new Registry(1_000, { classify: () => 'ignored' });
const known: CircuitBreaker | undefined = registry.get('gemini') ?? registry.remove('gemini');
const found: CircuitBreaker = registry.getOrCreate({ name: 'gemini' });
const idle: boolean = found.isIdle() && found.matches({ name: 'gemini' });
const removed: number = registry.removeUnused() + registry.size + registry.breakers().length;
// @ts-expect-error there is no registry without a bound
new Registry();
breaker.forceOpen();
breaker.forceOpen(null);
breaker.forceOpen(5);

// A code tells which error it is.
function explain(error: unknown): string {
  if (error instanceof CircuitBreakerOpenError) {
    is<Same<typeof error.code, 'CIRCUIT_OPEN'>>();
    return `${error.circuitName} ${error.reason} ${error.retryAfter?.toFixed(1)}`;
  }
  if (error instanceof InvalidValueError) {
    return error.field + error.value + error.allowed;
  }
  return error instanceof HalfopenError ? error.code : '';
}

// @ts-expect-error a misspelt field
new CircuitBreaker({ failureTreshold: 3 });
// @ts-expect-error a name in the core's spelling
new CircuitBreaker({ failure_threshold: 3 });
// @ts-expect-error digits in quotes
new CircuitBreaker({ timeoutSeconds: '60' });
// @ts-expect-error closing cannot be switched off
new CircuitBreaker({ successThreshold: null });
// @ts-expect-error no clock
new CircuitBreaker({ clock: { time: () => 5 } });
// @ts-expect-error no outcome
new CircuitBreaker({ classify: () => 'failed' });
// @ts-expect-error helpers are options of the one object
new CircuitBreaker({}, { clock });
// @ts-expect-error an argument of the function
breaker.call((n: number) => n, 5);
// @ts-expect-error a function with arguments has to be wrapped
breaker.call((n: number) => n);
// @ts-expect-error helpers are no part of a configuration
breaker.reconfigure({ clock });
// @ts-expect-error no function
breaker.call(5);
// @ts-expect-error another `this`
get.call({ host: 'a' }, 'b');
// @ts-expect-error another parameter
plain('text');
// @ts-expect-error it is read only
breaker.state = 'open';
// @ts-expect-error so is this
breaker.config.name = 'other';
// @ts-expect-error no duration
breaker.forceOpen('5');
// @ts-expect-error a permit comes from acquire alone
export const forged: Permit = {};

export { cause, explain, first, histogram, idle, known, median, removed, wait, when };

// Assignments to a breaker have no effect, so the types refuse them; `reconfigure` changes it.
// @ts-expect-error no such property
breaker.failureThreshold = 3;
// @ts-expect-error read only
breaker.name = 'other';
// @ts-expect-error read only
breaker.config.failureThreshold = 3;
