import { isMainThread, Worker } from 'node:worker_threads';

import { CircuitBreaker } from 'halfopen';

// The same circuit in every thread that asks for this name.
const breaker = new CircuitBreaker({ name: 'gemini', failureThreshold: 1, share: 'threads' });

if (isMainThread) {
  breaker.subscribe(({ fromState, toState }) => console.log(`${fromState} -> ${toState}`));
  new Worker(new URL(import.meta.url)).on('exit', () => console.log(`now it is ${breaker.state}`));
} else {
  await breaker.call(() => Promise.reject(new Error('no route'))).catch(() => undefined);
}
