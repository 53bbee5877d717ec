import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { componentWit } from '@bytecodealliance/jco-transpile/wasm-tools';

import { collectedUntil } from '../garbage.mjs';
import { core, instance } from './host.mjs';

const SECOND = 1_000_000_000n;
const FILE = new URL('../../../bindings-wasm/dist/component/halfopen.component.wasm', import.meta.url);

/** The circuit's interface on a clock that stands still, and that clock. */
function onStage() {
  const clock = { now: 0n };
  return { ...instance(() => clock.now).circuit, clock };
}

/** A circuit that one failure opens for ten seconds, unless told otherwise. */
function made(config = {}, seed = 0n) {
  const stage = onStage();
  const one = { failureThreshold: { tag: 'failures', val: 1 }, timeoutSeconds: 10, ...config };
  return { ...stage, breaker: stage.Breaker.create(one, seed) };
}

/** The record that was returned as an error, in the order of its fields. */
function refusal(ask) {
  try {
    ask();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.payload;
  }
  return assert.fail('nothing was refused');
}

test('the component imports the clock and nothing else', async () => {
  const wit = await componentWit(readFileSync(FILE));
  const world = wit.slice(wit.indexOf('world '), wit.indexOf('}'));
  assert.deepEqual(world.match(/import .*;/g), ['import halfopen:breaker/clock@0.1.0;']);
  // The module itself also imports the tables of handles, which every host of components provides.
  const imports = WebAssembly.Module.imports(core('halfopen.core.wasm'));
  assert.deepEqual(
    imports.filter(({ module }) => !module.startsWith('[export]')),
    [{ module: 'halfopen:breaker/clock@0.1.0', name: 'now', kind: 'function' }],
  );
});

test('each instance reads its own clock', () => {
  const [one, other] = [made(), made()];
  one.breaker.acquire().failure(undefined);
  one.clock.now = 4n * SECOND;
  assert.equal(one.breaker.status().retryAfterSeconds, 6);
  assert.equal(other.breaker.status().nowSeconds, 0);
  one.clock.now = 10n * SECOND;
  assert.equal(one.breaker.state(), 'half-open');
});

test('a permit that is dropped unsettled is cancelled', () => {
  const { breaker } = made();
  const permit = breaker.acquire();
  assert.equal(permit.settled(), false);
  assert.equal(breaker.status().counts.inFlight, 1n);
  permit[Symbol.dispose]();
  const { inFlight, cancelledCalls } = breaker.status().counts;
  assert.deepEqual([inFlight, cancelledCalls], [0n, 1n]);
});

test('a permit that is forgotten is cancelled when it is collected', async () => {
  const { breaker } = made();
  (() => breaker.acquire())();
  await collectedUntil(() => breaker.status().counts.inFlight === 0n);
  assert.equal(breaker.status().counts.cancelledCalls, 1n);
});

test('a permit is settled once', () => {
  const { breaker } = made();
  const permit = breaker.acquire();
  assert.equal(permit.success(), true);
  assert.equal(permit.settled(), true);
  assert.equal(permit.failure(undefined), false);
  assert.equal(permit.settle('failure', 5), false);
  permit[Symbol.dispose]();
  const { counts, state } = breaker.status();
  assert.deepEqual([counts.successfulCalls, counts.failedCalls, counts.cancelledCalls, state], [1n, 0n, 0n, 'closed']);
});

test('a clock that throws loses no permit', () => {
  const clock = { now: () => 0n };
  const { Breaker } = instance(() => clock.now()).circuit;
  const breaker = Breaker.create({}, 0n);
  const permit = breaker.acquire();
  clock.now = () => {
    throw new Error('no time to tell');
  };
  assert.throws(() => permit.failure(undefined), /no time to tell/);
  clock.now = () => 1n;
  assert.deepEqual([permit.settled(), permit.failure(undefined), permit.success()], [false, true, false]);
  const { failedCalls, inFlight } = breaker.status().counts;
  assert.deepEqual([failedCalls, inFlight], [1n, 0n]);
});

test('a permit may outlive its breaker', () => {
  const { breaker } = made();
  const permit = breaker.acquire();
  breaker[Symbol.dispose]();
  assert.equal(permit.failure(undefined), true);
  permit[Symbol.dispose]();
});

test('a rejection says which rule, and when to ask again', () => {
  const { breaker, clock } = made();
  breaker.acquire().failure(undefined);
  clock.now = 1n * SECOND;
  const rejected = { code: 'CIRCUIT_OPEN', reason: 'open', retryAfterSeconds: 9 };
  assert.deepEqual(
    refusal(() => breaker.acquire()),
    rejected,
  );
  breaker.forceOpen(undefined);
  const held = { code: 'CIRCUIT_OPEN', reason: 'forced-open', retryAfterSeconds: undefined };
  assert.deepEqual(
    refusal(() => breaker.acquire()),
    held,
  );
});

test('a wrong value is refused by the name of its field, and nothing changes', () => {
  const { Breaker, Registry, parseConfig, breaker } = made();
  const permit = breaker.acquire();
  const before = breaker.status();
  const wrong = {
    name: () => Breaker.create({ name: '' }, 0n),
    failure_threshold: () => Breaker.create({ failureThreshold: { tag: 'off' } }, 0n),
    timeout_seconds: () => breaker.reconfigure({ timeoutSeconds: Number.NaN }),
    max_timeout_seconds: () => breaker.reconfigure({ maxTimeoutSeconds: 1 }),
    window: () => Breaker.create({ window: { tag: 'calls', val: 0 } }, 0n),
    timeout_jitter: () => Breaker.create({ timeoutJitter: 1.5 }, 0n),
    nonsense: () => parseConfig('{"nonsense": 1}'),
    success_threshold: () => parseConfig('{"success_threshold": 2.5}'),
    config: () => parseConfig('[]'),
    share: () => breaker.percentile(2, 'success'),
    outcome: () => breaker.percentile(0.5, 'ignored'),
    duration_seconds: () => breaker.forceOpen(-1),
    retry_after_seconds: () => permit.failure(Number.POSITIVE_INFINITY),
    snapshot: () => breaker.restore('{'),
    'snapshot.version': () => breaker.restore(breaker.snapshot().replace('"version":1', '"version":2')),
    bound: () => Registry.create(0),
  };
  for (const [field, ask] of Object.entries(wrong)) {
    const { code, field: named, allowed } = refusal(ask);
    assert.deepEqual([code, named], ['INVALID_VALUE', field]);
    assert.ok(allowed.length > 0);
  }
  assert.deepEqual(breaker.status(), before);
  assert.equal(permit.success(), true, 'the refused hint has not settled it');
});

test('a configuration that was read makes an equal breaker', () => {
  const { Breaker, parseConfig } = onStage();
  const fields = {
    name: 'gemini',
    failure_threshold: null,
    success_threshold: 3,
    timeout_seconds: 0.5,
    half_open_max_calls: 4,
    failure_rate_threshold: 0.25,
    slow_call_seconds: 1.5,
    slow_call_rate_threshold: 0.75,
    window: { seconds: 60 },
    minimum_calls: 20,
    timeout_multiplier: 2,
    max_timeout_seconds: 90,
    timeout_jitter: 0.1,
    probe_timeout_seconds: 7,
    cancel_failure_after_seconds: 8,
    shadow: true,
    record_durations: false,
  };
  const config = parseConfig(JSON.stringify(fields));
  assert.deepEqual(config.failureThreshold, { tag: 'off' });
  assert.deepEqual(config.window, { tag: 'seconds', val: 60 });
  assert.equal(Object.values(config).includes(undefined), false);
  assert.equal(Object.keys(config).length, Object.keys(fields).length);
  assert.deepEqual(Breaker.create(config, 0n).config(), config);
  assert.deepEqual(Breaker.create({}, 0n).config(), parseConfig('{}'));
});

test('everything that is kept can be read', () => {
  const { breaker, clock } = made({ name: 'gemini', slowCallSeconds: 1, slowCallRateThreshold: 1 });
  assert.equal(breaker.name(), 'gemini');
  assert.equal(breaker.isIdle(), true);
  const permit = breaker.acquire();
  clock.now = 2n * SECOND;
  permit.failure(30);
  assert.equal(breaker.isIdle(), false);
  const [event, ...more] = breaker.events(0n);
  assert.deepEqual(more, []);
  assert.deepEqual(event, {
    sequence: 1n,
    atSeconds: 2,
    fromState: 'closed',
    toState: 'open',
    cause: 'consecutive-failures',
    generation: event.generation,
    consecutiveFailures: 1n,
    consecutiveSuccesses: 0n,
    retryAfterSeconds: 30,
  });
  assert.deepEqual(breaker.events(1n), []);
  assert.deepEqual(breaker.events(2n ** 64n - 1n), []);
  assert.deepEqual(breaker.edges(), [{ fromState: 'closed', toState: 'open', count: 1n }]);
  const { success, failure } = breaker.durations();
  assert.equal(success.count, 0n);
  assert.deepEqual([failure.count, failure.totalSeconds], [1n, 2]);
  assert.deepEqual(failure.buckets.at(-1), { upToSeconds: Number.POSITIVE_INFINITY, count: 1n });
  assert.deepEqual(failure.buckets.filter(({ count }) => count > 0n)[0], { upToSeconds: 2.5, count: 1n });
  assert.equal(breaker.percentile(1, 'failure'), 2.5);
  assert.equal(breaker.percentile(1, 'success'), undefined);
  assert.match(breaker.explain(), /^open after 1 failure in a row: in 30\.0 s/);
  assert.deepEqual(breaker.status().window, { calls: 1n, failed: 1n, slow: 1n });
});

test('polling returns the last 64 transitions, each once', () => {
  const { breaker } = made();
  for (let n = 0; n < 40; n += 1) {
    breaker.forceOpen(undefined);
    breaker.reset();
  }
  const kept = breaker.events(0n).map(({ sequence }) => sequence);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [64, 17n, 80n]);
});

test('the seed decides how the waits are spread; without one, the time of creation does', () => {
  const wait = (seed, now) => {
    const { Breaker, clock } = onStage();
    clock.now = now;
    const breaker = Breaker.create({ failureThreshold: { tag: 'failures', val: 1 }, timeoutJitter: 1 }, seed);
    breaker.acquire().failure(undefined);
    return breaker.status().retryAfterSeconds;
  };
  assert.equal(wait(1n, 0n), wait(1n, 5n));
  assert.notEqual(wait(1n, 0n), wait(2n, 0n));
  assert.equal(wait(undefined, 5n), wait(5n, 0n));
});

test('a circuit goes on in another instance', () => {
  const [one, other] = [made(), made()];
  one.breaker.acquire().failure(undefined);
  one.clock.now = 4n * SECOND;
  other.clock.now = 1_000n * SECOND;
  other.breaker.restore(one.breaker.snapshot());
  assert.equal(other.breaker.status().retryAfterSeconds, 6);
  assert.equal(other.breaker.status().counts.failedCalls, 1n);
});
