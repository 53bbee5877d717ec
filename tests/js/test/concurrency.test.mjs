import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CircuitBreakerOpenError } from 'halfopen';

import { onStage, opened } from './stage.mjs';

/** Ends after some turns of the microtask queue, so that calls overlap in many ways. */
async function after(turns, result) {
  for (let turn = 0; turn < turns; turn += 1) {
    await undefined;
  }
  return result();
}

test('ten thousand overlapping calls lose no count', async () => {
  const { breaker } = onStage({ failureThreshold: 65_535 });
  const bad = new Error('bad');
  const calls = Array.from({ length: 10_000 }, (_, n) =>
    breaker.call(() =>
      after(n % 17, () => {
        if (n % 3 === 0) {
          throw bad;
        }
        return n;
      }),
    ),
  );
  assert.equal(breaker.status().inFlight, 10_000);
  const ends = await Promise.allSettled(calls);
  for (const [n, end] of ends.entries()) {
    assert.equal(end.status === 'fulfilled' ? end.value : end.reason, n % 3 ? n : bad);
  }
  const { totalCalls, successfulCalls, failedCalls, inFlight } = breaker.status();
  assert.deepEqual([totalCalls, successfulCalls, failedCalls, inFlight], [10_000, 6666, 3334, 0]);
  const { success, failure } = breaker.durations();
  assert.deepEqual([success.count, failure.count], [6666, 3334]);
});

test('ten thousand callers of a half-open circuit never take more than its probe slots', async () => {
  const { breaker, clock } = opened({ halfOpenMaxCalls: 7, successThreshold: 255 });
  clock.advance(10_000);
  let running = 0;
  let most = 0;
  const probe = async (turns) => {
    running += 1;
    most = Math.max(most, running);
    await after(turns, () => undefined);
    running -= 1;
  };
  const ends = await Promise.allSettled(
    Array.from({ length: 10_000 }, (_, n) => after(n % 50, () => breaker.call(() => probe(n % 5)))),
  );
  const rejected = ends.filter(({ reason }) => reason instanceof CircuitBreakerOpenError);
  const { totalCalls, rejectedCalls, inFlight } = breaker.status();
  assert.equal(most, 7);
  assert.equal(rejected.length, rejectedCalls);
  assert.equal(totalCalls - 1 + rejectedCalls, 10_000);
  assert.equal(inFlight, 0);
});

test('calls from before a trip change nothing after it', async () => {
  const { breaker, clock } = onStage({ failureThreshold: 1, timeoutSeconds: 10 });
  let finish;
  const old = breaker.call(() => new Promise((_, reject) => (finish = reject)));
  breaker.acquire().failure();
  clock.advance(10_000);
  const probe = breaker.acquire();
  finish(new Error('late'));
  await assert.rejects(old, /late/);
  assert.equal(breaker.state, 'half_open');
  probe.success();
  assert.equal(breaker.status().consecutiveSuccesses, 1);
});

test('a hundred thousand calls one after the other keep the table of tickets small', async () => {
  const { breaker } = onStage();
  for (let n = 0; n < 100_000; n += 1) {
    breaker.acquire().success();
  }
  assert.equal(breaker.status().successfulCalls, 100_000);
});
