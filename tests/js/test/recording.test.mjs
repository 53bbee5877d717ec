/** Recorders keep what a replay needs, and nothing else. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { CircuitBreaker, InvalidValueError } from 'halfopen';
import { Recorder } from 'halfopen/recording';

import { collectedUntil } from '../garbage.mjs';
import { onStage } from './stage.mjs';

const fail = () => {
  throw new Error('the provider is down');
};

/** A breaker that is recorded, on a clock that stands still. */
function recorded(config = {}, options = {}) {
  const recorder = new Recorder();
  const stage = onStage({ name: 'gemini', timeoutSeconds: 10, ...config }, options);
  recorder.record(stage.breaker);
  return { ...stage, recorder };
}

test('import and require give the same recorder', () => {
  assert.equal(createRequire(import.meta.url)('halfopen/recording').Recorder, Recorder);
});

test('a call is recorded with its start, duration and outcome', async () => {
  const { breaker, clock, recorder } = recorded({ failureThreshold: 2 });
  const call = (outcome, retryAfter) => {
    clock.advance(1000);
    const permit = breaker.acquire();
    clock.advance(500);
    permit.settle(outcome, retryAfter);
  };
  call('success');
  call('ignored');
  call('cancelled');
  call('failure');
  call('failure', 30);
  clock.advance(1000);
  await assert.rejects(breaker.call(fail), { code: 'CIRCUIT_OPEN' });
  const record = (atSeconds, outcome, rest) => ({
    atSeconds,
    circuit: 'gemini',
    durationSeconds: 0.5,
    outcome,
    ...rest,
  });
  assert.deepEqual(
    [...recorder.records()],
    [
      record(1, 'success'),
      record(2.5, 'ignored'),
      record(4, 'cancelled'),
      record(5.5, 'failure'),
      record(7, 'failure', { retryAfterSeconds: 30 }),
      record(8.5, 'rejected', { durationSeconds: 0 }),
    ],
  );
});

test('what is settled twice, or shares the permit of another call, is recorded once', async () => {
  const { breaker, clock, recorder } = recorded({ failureThreshold: 1 });
  const permit = breaker.acquire();
  permit.failure();
  permit.success();
  clock.advance(10_000);
  await breaker.call(() => breaker.call(() => 'inside'));
  assert.deepEqual(
    [...recorder.records()].map(({ outcome }) => outcome),
    ['failure', 'success'],
  );
});

test('the time that the consumer of a stream takes is not recorded, not even if it is forgotten', async () => {
  const { breaker, clock, recorder } = recorded();
  const stream = async function* () {
    clock.advance(1000);
    yield 1;
  };
  await (await breaker.call(stream)).next();
  clock.advance(5000);
  await collectedUntil(() => recorder.size === 1);
  const [call] = recorder.records();
  assert.deepEqual([call.outcome, call.durationSeconds], ['cancelled', 1]);
});

test('the newest calls are kept, and no texts', async () => {
  const recorder = new Recorder(3);
  const breaker = new CircuitBreaker();
  recorder.record(breaker);
  for (let call = 0; call < 5; call += 1) {
    await breaker.call(async () => 'a secret');
  }
  await assert.rejects(breaker.call(async () => Promise.reject(new Error('a secret'))));
  assert.equal(recorder.size, 3);
  const calls = [...recorder.records()];
  assert.deepEqual(
    calls.map(({ outcome }) => outcome),
    ['success', 'success', 'failure'],
  );
  assert.doesNotMatch(JSON.stringify(calls), /secret/);
});

test('on the default clock starts and durations add up', async () => {
  const recorder = new Recorder();
  const breakers = [new CircuitBreaker({ name: 'one' }), new CircuitBreaker({ name: 'two' })];
  for (const breaker of breakers) {
    recorder.record(breaker);
    await breaker.call(() => new Promise((resolve) => setTimeout(resolve, 5)));
  }
  const [one, two] = recorder.records();
  assert.deepEqual([one.circuit, two.circuit], ['one', 'two']);
  assert.ok(one.durationSeconds > 0.004 && one.atSeconds + one.durationSeconds <= two.atSeconds + 1e-6);
});

test('a log has a line for each call', () => {
  const { breaker, recorder } = recorded();
  for (let call = 0; call < 2500; call += 1) {
    breaker.acquire().success();
  }
  breaker.acquire().failure(7);
  const folder = mkdtempSync(join(tmpdir(), 'halfopen-log-'));
  try {
    const path = join(folder, 'log.jsonl');
    assert.equal(recorder.write(path), 2501);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 2501);
    const call = { at_seconds: 0, circuit: 'gemini', duration_seconds: 0, outcome: 'success' };
    assert.deepEqual(JSON.parse(lines[0]), call);
    assert.deepEqual(JSON.parse(lines[2500]), { ...call, outcome: 'failure', retry_after_seconds: 7 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what cannot be recorded is refused', () => {
  const recorder = new Recorder();
  const breaker = new CircuitBreaker();
  recorder.record(breaker);
  for (const refused of [breaker, new CircuitBreaker({ recordDurations: false }), {}, undefined]) {
    assert.throws(() => recorder.record(refused), InvalidValueError);
  }
  for (const bound of [0, -1, 2.5, Number.NaN, 10_000_001, '3', null, {}]) {
    assert.throws(() => new Recorder(bound), { code: 'INVALID_VALUE', field: 'bound' });
  }
});
