/** The package for a page shows the same types; compiled, never run. */

import * as bundled from 'halfopen-wasm';
import * as web from 'halfopen-wasm/web';

const breaker: bundled.CircuitBreaker = new bundled.CircuitBreaker({ name: 'gemini' });
const other = new web.CircuitBreaker({}, { clock: performance });
const answer: Promise<number> = other.call(async () => 42);
const status: web.Status = breaker.status();

declare const performance: { now(): number };

export { answer, status };
