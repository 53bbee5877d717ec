/** Makes calls in a worker, on breakers of which some are garbage already and one has an unsettled permit. */

import { parentPort, workerData } from 'node:worker_threads';

import { CircuitBreaker } from 'halfopen';

const breaker = new CircuitBreaker({ name: 'in a worker' });
globalThis.kept = breaker.acquire();
for (let n = 0; n < workerData.calls; n += 1) {
  await breaker.call(async () => n);
  if (n % 100 === 0) {
    new CircuitBreaker().acquire();
  }
  if (n === 500 && workerData.calls === Number.POSITIVE_INFINITY) {
    parentPort.postMessage('busy');
  }
}
parentPort.postMessage(breaker.status());
