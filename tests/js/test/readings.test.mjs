import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InvalidValueError } from 'halfopen';

import { onStage, opened } from './stage.mjs';

test('a status is plain, ready for JSON, and its names are in camelCase', () => {
  const { breaker, clock } = opened({ name: 'gemini' });
  clock.advance(2500);
  const status = breaker.status();
  assert.deepEqual(
    { ...status, lastFailureTime: 0, lastStateChangeTime: 0 },
    {
      name: 'gemini',
      nowSeconds: 2.5,
      state: 'open',
      mode: 'auto',
      retryAfterSeconds: 7.5,
      generation: 1,
      totalCalls: 1,
      successfulCalls: 0,
      failedCalls: 1,
      ignoredCalls: 0,
      cancelledCalls: 0,
      rejectedCalls: 0,
      shadowRejected: 0,
      slowCalls: 0,
      probeTimeouts: 0,
      inFlight: 0,
      successRate: 0,
      consecutiveFailures: 1,
      consecutiveSuccesses: 0,
      windowCalls: 0,
      windowFailed: 0,
      windowSlow: 0,
      stateTransitions: 1,
      lastFailureSeconds: 0,
      lastSuccessSeconds: null,
      lastStateChangeSeconds: 0,
      lastFailureTime: 0,
      lastSuccessTime: null,
      lastStateChangeTime: 0,
    },
  );
  assert.equal(Object.getPrototypeOf(status), Object.prototype);
  const read = JSON.parse(JSON.stringify(status));
  assert.equal(read.lastFailureTime, status.lastFailureTime.toISOString());
  assert.deepEqual(structuredClone(status), status);
});

test('the configuration in force has every field, and cannot be changed', () => {
  const { breaker } = onStage({ name: 'gemini', timeoutSeconds: 1.5 });
  assert.deepEqual(breaker.config, {
    name: 'gemini',
    failureThreshold: 5,
    successThreshold: 2,
    timeoutSeconds: 1.5,
    halfOpenMaxCalls: 3,
    failureRateThreshold: null,
    slowCallSeconds: null,
    slowCallRateThreshold: null,
    window: { calls: 100 },
    minimumCalls: 10,
    timeoutMultiplier: 1,
    maxTimeoutSeconds: null,
    timeoutJitter: 0,
    probeTimeoutSeconds: null,
    cancelFailureAfterSeconds: null,
    shadow: false,
    recordDurations: true,
  });
  assert.throws(() => {
    breaker.config.timeoutSeconds = 5;
  }, TypeError);
  assert.throws(() => {
    breaker.config.window.calls = 5;
  }, TypeError);
  assert.equal(breaker.name, 'gemini');
});

test('events tell each transition once, in order', () => {
  const { breaker, clock } = opened();
  clock.advance(10_000);
  breaker.acquire().success();
  breaker.acquire().success();
  const events = breaker.events().map(({ sequence, atSeconds, fromState, toState, cause }) => {
    return [sequence, atSeconds, fromState, toState, cause];
  });
  assert.deepEqual(events, [
    [1, 0, 'closed', 'open', 'consecutive_failures'],
    [2, 10, 'open', 'half_open', 'timeout_elapsed'],
    [3, 10, 'half_open', 'closed', 'probes_succeeded'],
  ]);
  assert.equal(breaker.events()[0].retryAfterSeconds, 10);
  assert.deepEqual(
    breaker.events(2).map(({ sequence }) => sequence),
    [3],
  );
  assert.deepEqual(breaker.events(3), []);
});

test('of many transitions the last are kept', () => {
  const { breaker } = onStage();
  for (let round = 0; round < 100; round += 1) {
    breaker.forceOpen();
    breaker.reset();
  }
  const events = breaker.events();
  assert.equal(events.length, 64);
  assert.deepEqual([events[0].sequence, events.at(-1).sequence], [137, 200]);
});

test('durations fall into buckets that include those before them', () => {
  const { breaker, clock } = onStage();
  for (const [millis, way] of [
    [5, 'success'],
    [300, 'success'],
    [20_000, 'failure'],
  ]) {
    const permit = breaker.acquire();
    clock.advance(millis);
    permit[way]();
  }
  const { success, failure } = breaker.durations();
  assert.deepEqual([success.count, success.totalSeconds], [2, 0.305]);
  const upTo = (durations, seconds) => durations.buckets.find(({ upToSeconds }) => upToSeconds === seconds).count;
  assert.deepEqual(
    [0.005, 0.25, 0.5, Number.POSITIVE_INFINITY].map((bound) => upTo(success, bound)),
    [1, 1, 2, 2],
  );
  assert.deepEqual(
    [10, Number.POSITIVE_INFINITY].map((bound) => upTo(failure, bound)),
    [0, 1],
  );
});

test('a percentile is interpolated within its bucket, and null before the first call', () => {
  const { breaker, clock } = onStage();
  assert.deepEqual([breaker.percentile(0.5), breaker.percentile(1, 'failure')], [null, null]);
  for (let call = 0; call < 4; call += 1) {
    const permit = breaker.acquire();
    clock.advance(400);
    permit.success();
  }
  // Four calls between 0.25 and 0.5 seconds.
  assert.deepEqual(
    [0.25, 0.5, 1].map((share) => breaker.percentile(share)),
    [0.3125, 0.375, 0.5],
  );
  assert.equal(breaker.percentile(0.5, 'failure'), null);
  for (const [argument, refused] of [
    [[-0.1], 'share'],
    [[1.1], 'share'],
    [[Number.NaN], 'share'],
    [['0.5'], 'share'],
    [[], 'share'],
    [[0.5, 'cancelled'], 'outcome'],
    [[0.5, 5], 'outcome'],
  ]) {
    assert.throws(
      () => breaker.percentile(...argument),
      (error) => error instanceof InvalidValueError && error.field === refused,
    );
  }
});

test('an operator may hold it open, for a time or without end, let all pass, and reset', () => {
  const { breaker, clock } = onStage();
  breaker.forceOpen(5);
  assert.deepEqual([breaker.state, breaker.mode], ['open', 'forced_open']);
  assert.throws(() => breaker.acquire(), { reason: 'forced_open', retryAfter: 5 });
  clock.advance(5000);
  assert.deepEqual([breaker.state, breaker.mode], ['half_open', 'auto']);
  breaker.forceOpen();
  clock.advance(1e9);
  assert.throws(() => breaker.acquire(), { reason: 'forced_open', retryAfter: null });
  breaker.disable();
  assert.deepEqual([breaker.state, breaker.mode], ['closed', 'disabled']);
  breaker.reset();
  assert.deepEqual([breaker.state, breaker.mode], ['closed', 'auto']);
});

test('reading takes no permit and changes nothing', () => {
  const { breaker, clock } = opened();
  clock.advance(10_000);
  for (let round = 0; round < 10; round += 1) {
    breaker.status();
    breaker.events();
    breaker.durations();
    assert.equal(breaker.state, 'half_open');
  }
  const { generation, inFlight, stateTransitions } = breaker.status();
  assert.deepEqual([generation, inFlight, stateTransitions], [1, 0, 1]);
});
