/** The package for a page shows the same types; compiled, never run. */

import * as halfopen from 'halfopen-wasm';

const breaker: halfopen.CircuitBreaker = new halfopen.CircuitBreaker({ name: 'gemini', clock: performance });
const answer: Promise<number> = breaker.call(async () => 42);
const status: halfopen.Status = breaker.status();

declare const performance: { now(): number };

export { answer, status };
