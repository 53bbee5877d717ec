/** Which errors are recognised as an abort by the caller. tests/packages tries the real clients. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { onStage } from './stage.mjs';

class APIUserAbortError extends Error {}
const withFields = (fields) => Object.assign(new Error('any text'), fields);

const ABORTS = {
  'a DOMException': new DOMException('away', 'AbortError'),
  Node: withFields({ name: 'AbortError', code: 'ABORT_ERR' }),
  undici: withFields({ name: 'AbortError', code: 'UND_ERR_ABORTED' }),
  axios: withFields({ name: 'CanceledError', code: 'ERR_CANCELED' }),
  got: withFields({ name: 'CancelError', code: 'ERR_CANCELED' }),
  superagent: withFields({ code: 'ABORTED' }),
  'openai and anthropic': new APIUserAbortError('any text'),
  gRPC: withFields({ code: 1, details: 'Cancelled on client', metadata: {} }),
};

for (const [client, error] of Object.entries(ABORTS)) {
  test(`five users that press Stop open nothing: ${client}`, async () => {
    const { breaker } = onStage();
    for (let n = 0; n < 5; n += 1) {
      await assert.rejects(
        breaker.call(() => Promise.reject(error)),
        (seen) => seen === error,
      );
    }
    assert.deepEqual([breaker.state, breaker.status().cancelledCalls], ['closed', 5]);
  });
}

const FAILURES = {
  'a timeout': new DOMException('too late', 'TimeoutError'),
  'an abort whose cause is a timeout': new Error('aborted', { cause: new DOMException('too late', 'TimeoutError') }),
  'a code of another kind': withFields({ code: 1 }),
  'a text that speaks of aborting': new Error('AbortError: The user aborted a request'),
  'a connection that was reset': withFields({ code: 'ECONNRESET' }),
  'a connection that was aborted': withFields({ code: 'ECONNABORTED' }),
};
FAILURES['an abort whose cause is a timeout'].name = 'AbortError';

for (const [kind, error] of Object.entries(FAILURES)) {
  test(`it is a failure: ${kind}`, async () => {
    const { breaker } = onStage();
    await assert.rejects(breaker.call(() => Promise.reject(error)));
    assert.deepEqual([breaker.status().failedCalls, breaker.status().cancelledCalls], [1, 0]);
  });
}

test('once the signal that was passed is aborted, a call that fails is cancelled, whatever its client makes of it', async () => {
  const { breaker } = onStage();
  for (const reason of [new Error('the user left'), 'left', undefined]) {
    const controller = new AbortController();
    const { signal } = controller;
    const call = breaker.call(
      async () => {
        await once(signal, 'abort');
        throw signal.reason;
      },
      { signal },
    );
    controller.abort(reason);
    await assert.rejects(call, (error) => error === signal.reason);
  }
  const signal = AbortSignal.abort(new Error('the user left'));
  await assert.rejects(
    breaker.call(() => Promise.reject(new Error('the stream was closed')), { signal }),
    /closed/,
  );
  assert.equal(breaker.status().cancelledCalls, 4);
  const { signal: live } = new AbortController();
  await assert.rejects(breaker.call(() => Promise.reject(new Error('503')), { signal: live }));
  assert.equal(breaker.status().failedCalls, 1);
});

test('a passed signal that timed out is a failure, whatever the client makes of it', async () => {
  const { breaker } = onStage();
  const signal = AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
  for (const error of [signal.reason, ABORTS.axios]) {
    await assert.rejects(breaker.call(() => Promise.reject(error), { signal }));
  }
  assert.deepEqual([breaker.status().failedCalls, breaker.status().cancelledCalls], [2, 0]);
});
