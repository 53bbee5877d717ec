import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';

import { CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { collectedUntil } from '../garbage.mjs';
import { addsUp, onStage, opened } from './stage.mjs';

const WAYS = { success: 'successfulCalls', failure: 'failedCalls', ignore: 'ignoredCalls', cancel: 'cancelledCalls' };

for (const [way, counter] of Object.entries(WAYS)) {
  test(`${way}() counts once, and only the first time`, () => {
    const { breaker } = onStage();
    const permit = breaker.acquire();
    assert.equal(permit[way](), true);
    for (const again of Object.keys(WAYS)) {
      assert.equal(permit[again](), false);
    }
    const status = breaker.status();
    assert.equal(status[counter], 1);
    assert.equal(status.totalCalls, 1);
    assert.ok(addsUp(status));
  });
}

test('settle() takes the outcome by its name, and a failure its hint', () => {
  const { breaker } = onStage({ failureThreshold: 1, timeoutSeconds: 1, maxTimeoutSeconds: 60 });
  for (const outcome of ['success', 'ignored', 'cancelled']) {
    assert.equal(breaker.acquire().settle(outcome, 7), true);
  }
  const permit = breaker.acquire();
  for (const wrong of ['fail', 'toString', undefined, 1]) {
    assert.throws(() => permit.settle(wrong), {
      code: 'INVALID_VALUE',
      field: 'outcome',
      allowed: 'one of: success, failure, ignored, cancelled',
    });
  }
  assert.equal(permit.settle('failure', 7), true);
  assert.equal(permit.settle('success'), false);
  const { successfulCalls, ignoredCalls, cancelledCalls, failedCalls, retryAfterSeconds } = breaker.status();
  assert.deepEqual([successfulCalls, ignoredCalls, cancelledCalls, failedCalls, retryAfterSeconds], [1, 1, 1, 1, 7]);
});

test('a stream that breaks is a failure, where its permit is held until it has ended', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  async function* broken() {
    yield 'half an answer';
    throw new Error('the connection is gone');
  }
  const received = [];
  async function listen() {
    const permit = breaker.acquire();
    try {
      for await (const part of broken()) {
        received.push(part);
        assert.equal(breaker.status().inFlight, 1);
      }
      permit.success();
    } catch (error) {
      permit.failure();
      throw error;
    }
  }
  await assert.rejects(listen(), { message: 'the connection is gone' });
  assert.deepEqual(received, ['half an answer']);
  assert.equal(breaker.state, 'open');
});

test('a permit settled twice frees no slot of another', () => {
  const { breaker, clock } = opened({ halfOpenMaxCalls: 1, successThreshold: 3 });
  clock.advance(10_000);
  const first = breaker.acquire();
  assert.equal(first.cancel(), true);
  const second = breaker.acquire();
  assert.equal(first.cancel(), false);
  assert.throws(() => breaker.acquire(), { reason: 'probes_busy' });
  assert.equal(second.success(), true);
});

test('a failure whose provider named no wait has null for it', () => {
  const { breaker } = onStage({ failureThreshold: 1, timeoutSeconds: 10 });
  assert.equal(breaker.acquire().failure(null), true);
  assert.equal(breaker.status().retryAfterSeconds, 10);
});

test('acquire throws where the circuit rejects', () => {
  const { breaker } = opened();
  assert.throws(() => breaker.acquire(), CircuitBreakerOpenError);
});

test('a permit that is disposed of unsettled is cancelled', () => {
  const { breaker } = onStage();
  breaker.acquire()[Symbol.dispose]();
  const settled = breaker.acquire();
  settled.success();
  settled[Symbol.dispose]();
  const { cancelledCalls, successfulCalls, inFlight } = breaker.status();
  assert.deepEqual([cancelledCalls, successfulCalls, inFlight], [1, 1, 0]);
});

test('a runtime without Symbol.dispose has what compilers of `using` fall back to', () => {
  const path = createRequire(import.meta.url).resolve('halfopen');
  const older = Object.assign(() => Symbol(), { for: Symbol.for, iterator: Symbol.iterator });
  const parameters = ['module', 'require', '__filename', '__dirname', 'Symbol'];
  const load = vm.compileFunction(readFileSync(path, 'utf8'), parameters);
  const module = { exports: {} };
  load(module, createRequire(path), path, dirname(path), older);
  const permit = new module.exports.CircuitBreaker().acquire();
  permit[Symbol.for('Symbol.dispose')]();
  assert.equal(permit.cancel(), false);
});

test('a permit that is forgotten is cancelled when it is collected', async () => {
  const { breaker, clock } = opened({ halfOpenMaxCalls: 2 });
  clock.advance(10_000);
  const kept = breaker.acquire();
  (() => breaker.acquire())();
  assert.equal(breaker.status().inFlight, 2);
  await collectedUntil(() => breaker.status().inFlight <= 1);
  const { inFlight, cancelledCalls } = breaker.status();
  assert.deepEqual({ inFlight, cancelledCalls }, { inFlight: 1, cancelledCalls: 1 });
  assert.equal(kept.success(), true);
});

test('of hundreds of permits in one turn each that is forgotten is cancelled, and no other', async () => {
  const { breaker } = onStage();
  const kept = [];
  (() => {
    for (let n = 0; n < 300; n += 1) {
      const permit = breaker.acquire();
      if (n % 3 === 0) {
        kept.push(permit);
      } else if (n % 3 === 1) {
        permit.success();
      }
    }
  })();
  await collectedUntil(() => breaker.status().inFlight <= 100);
  const { inFlight, cancelledCalls, successfulCalls } = breaker.status();
  assert.deepEqual(
    { inFlight, cancelledCalls, successfulCalls },
    { inFlight: 100, cancelledCalls: 100, successfulCalls: 100 },
  );
  assert.ok(kept.every((permit) => permit.failure()));
  assert.equal(breaker.status().inFlight, 0);
});

test('a permit that its own breaker can reach is collected with it', async () => {
  let collected = 0;
  const sessions = new FinalizationRegistry(() => {
    collected += 1;
  });
  for (let n = 0; n < 100; n += 1) {
    // A cycle: the breaker refers to the session by its classifier, and the session holds a permit of the breaker.
    const session = {};
    session.breaker = new CircuitBreaker({ classify: () => session.verdict });
    session.permit = session.breaker.acquire();
    sessions.register(session);
  }
  await collectedUntil(() => collected >= 90);
  // V8 may still hold the last one in a register.
  assert.ok(collected >= 90, `${collected} of 100 were collected`);
});
