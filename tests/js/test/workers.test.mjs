import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { onStage } from './stage.mjs';

const start = (workerData) => new Worker(new URL('./worker.mjs', import.meta.url), { workerData });

test('each worker has breakers of its own', async () => {
  const { breaker } = onStage();
  const statuses = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const worker = start({ calls: 1000 + index });
      // Both listeners from the start: a worker may end right after its message, before a later listener is added.
      const [[status], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return [status, code];
    }),
  );
  for (const [index, [status, code]] of statuses.entries()) {
    assert.equal(code, 0);
    assert.deepEqual([status.totalCalls, status.successfulCalls, status.inFlight], [1001 + index, 1000 + index, 1]);
  }
  assert.equal(breaker.status().totalCalls, 0);
});

test('a worker that is ended in the middle of its calls harms no other thread', async () => {
  for (let round = 0; round < 5; round += 1) {
    const worker = start({ calls: Number.POSITIVE_INFINITY });
    await once(worker, 'message');
    await worker.terminate();
  }
  const { breaker } = onStage();
  assert.equal(await breaker.call(() => 'alive'), 'alive');
});
