import { CircuitBreaker, CircuitBreakerOpenError, type Permit, type Status } from 'halfopen';
import { type RecordedCall, Recorder } from 'halfopen/recording';
import * as page from 'halfopen-wasm';

const breaker = new CircuitBreaker({ name: 'provider', failureThreshold: 3, classify: () => 'ignored' });
const pageBreaker: page.CircuitBreaker = new page.CircuitBreaker({ name: 'page' });
export const answer: Promise<number> = breaker.call(async () => 42);
export const word: Promise<string> = pageBreaker.wrap(async (text: string) => text)('hello');
export const status: Status = breaker.status();
export const permit: Permit = breaker.acquire();

export const recorder = new Recorder(1000);
recorder.record(breaker);
export const calls: RecordedCall[] = [...recorder.records()];

export function wait(error: unknown): number | null {
  return error instanceof CircuitBreakerOpenError ? error.retryAfter : null;
}

// @ts-expect-error a misspelt field
new CircuitBreaker({ failureTreshold: 3 });
// @ts-expect-error a misspelt field
new page.CircuitBreaker({ failureTreshold: 3 });
