/** Breakers that the threads of a process share by name. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { CircuitBreaker, InvalidValueError, ManualClock, NameConflictError, Registry } from 'halfopen';

import { collectedUntil } from '../garbage.mjs';
import { printedBy } from '../own-process.mjs';
import { ENDED, MOST_INSIDE, OF_EACH, STOPPED, TOO_MANY } from './sharing-places.mjs';
import { addsUp } from './stage.mjs';

const WORKERS = 16;

/** A breaker of a name of its own, shared. */
let names = 0;
function sharing(fields = {}) {
  names += 1;
  const config = { name: `shared ${names}`, failureThreshold: 1, ...fields };
  return { config, breaker: new CircuitBreaker({ ...config, share: 'threads' }) };
}

function start(does, config, data = {}) {
  const worker = new Worker(new URL('./sharing-worker.mjs', import.meta.url), {
    workerData: { does, config, ...data },
  });
  return { worker, ended: once(worker, 'exit') };
}

async function run(does, config, code = 0) {
  const { worker, ended } = start(does, config);
  const messages = [];
  worker.on('message', (message) => messages.push(message));
  assert.deepEqual(await ended, [code]);
  return messages;
}

/** Runs the work in all workers, and ends two of them at random moments. */
async function underLoad(does, config, isDone) {
  const memory = new SharedArrayBuffer(4 * (OF_EACH + WORKERS));
  const counts = new Int32Array(memory);
  const workers = Array.from({ length: WORKERS }, (_, place) => start(does, config, { memory, place }));
  await Promise.all(workers.map(({ worker }) => once(worker, 'online')));
  await until(() => isDone(counts, 0.1));
  const ended = [0, 1].map((half) => (half * WORKERS) / 2 + Math.floor((Math.random() * WORKERS) / 2));
  for (const place of ended) {
    await until(() => Math.random() < 0.3);
    // From here on it may be ended between two steps.
    Atomics.add(counts, ENDED, 1);
    await workers[place].worker.terminate();
  }
  await until(() => isDone(counts, 1));
  Atomics.store(counts, STOPPED, 1);
  await Promise.all(workers.map(({ ended }) => ended));
  return { counts, ended };
}

async function until(condition) {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `waited in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('sixteen workers share one breaker, two are ended in the middle, and the counts add up', async () => {
  const { config, breaker } = sharing({ timeoutSeconds: 0.001, successThreshold: 1 });
  const { counts, ended } = await underLoad('callUntilStopped', config, (memory, share) => {
    const { totalCalls, stateTransitions } = breaker.status();
    // On a busy machine the first workers make all these calls before the last one has loaded.
    const haveAllCalled = memory.subarray(OF_EACH).every((count) => count > 0);
    return haveAllCalled && totalCalls > share * 10_000 && stateTransitions > share * 100;
  });
  const status = breaker.status();
  assert.ok(addsUp(status));
  assert.equal(status.inFlight, 0);
  // A worker that was ended had at most one call in flight, and may not have counted it.
  const counted = counts.subarray(OF_EACH).reduce((sum, count) => sum + count);
  assert.ok(status.totalCalls - counted >= 0 && status.totalCalls - counted <= ended.length);
  assert.ok(status.cancelledCalls <= ended.length);
});

test('probes of sixteen workers never exceed their slots, though two are ended in the middle', async () => {
  const slots = { halfOpenMaxCalls: 3, successThreshold: 255, probeTimeoutSeconds: 3600 };
  const { config, breaker } = sharing({ ...slots, timeoutSeconds: 0.001 });
  breaker.acquire().failure();
  const ignoring = { ...config, classifyAs: 'ignored' };
  const { counts } = await underLoad('probeUntilStopped', ignoring, (memory, share) => {
    const { totalCalls, rejectedCalls } = breaker.status();
    return totalCalls > share * 3000 && rejectedCalls > share * 1000 && memory[MOST_INSIDE] >= 3 * share;
  });
  const { state, inFlight, probeTimeouts } = breaker.status();
  assert.deepEqual([state, inFlight, probeTimeouts], ['half_open', 0, 0]);
  assert.equal(counts[TOO_MANY], 0);
  const permits = [1, 2, 3].map(() => breaker.acquire());
  assert.throws(() => breaker.acquire(), { code: 'CIRCUIT_OPEN', reason: 'probes_busy' });
  assert.ok(permits.every((permit) => permit.cancel()));
});

test('a worker that is ended in the middle of its probes gives their slots back', async () => {
  const { config, breaker } = sharing({ halfOpenMaxCalls: 2, timeoutSeconds: 0.001, probeTimeoutSeconds: 3600 });
  breaker.acquire().failure();
  await until(() => breaker.state === 'half_open');
  const { worker } = start('hang', config);
  assert.deepEqual(await once(worker, 'message'), [2]);
  assert.throws(() => breaker.acquire(), { reason: 'probes_busy' });
  await worker.terminate();
  assert.deepEqual([breaker.status().inFlight, breaker.status().cancelledCalls], [0, 2]);
  assert.ok(breaker.acquire().success() && breaker.acquire().success());
  assert.equal(breaker.state, 'closed');
});

for (const [does, code] of [
  ['leave', 0],
  ['exit', 3],
]) {
  test(`a worker that ends leaves neither a permit nor a listener: ${does}`, async () => {
    const { config, breaker } = sharing();
    await run(does, config, code);
    assert.deepEqual([breaker.status().inFlight, breaker.status().cancelledCalls], [0, 1]);
    assert.equal(breaker.isIdle(), true);
  });
}

test('a listener receives what other threads do, in order, while it makes no call', async () => {
  const { config, breaker } = sharing({ successThreshold: 1, timeoutSeconds: 0.001 });
  const received = [];
  breaker.subscribe((event) => received.push([event.sequence, event.toState]));
  await run('fail', config);
  await until(() => received.length > 0);
  assert.deepEqual(received, [[1, 'open']]);

  const { worker, ended } = start('listen', config);
  const messages = [];
  worker.on('message', (message) => messages.push(message));
  await until(() => messages.length > 0);
  await until(() => breaker.state === 'half_open');
  breaker.acquire().success();
  breaker.acquire().failure();
  assert.deepEqual(await ended, [0], 'a listener keeps no worker alive');
  assert.deepEqual(messages.slice(1), [
    { fromState: 'open', toState: 'half_open', sequence: 2 },
    { fromState: 'half_open', toState: 'closed', sequence: 3 },
    { fromState: 'closed', toState: 'open', sequence: 4 },
  ]);
  assert.deepEqual(
    received.slice(1).map(([, state]) => state),
    ['half_open', 'closed', 'open'],
  );
});

test('a thread that was busy receives the newest transitions, the missed ones are counted, and nothing piles up', async () => {
  const { config, breaker } = sharing();
  const received = [];
  breaker.subscribe(({ sequence }) => received.push(sequence));
  const memory = new SharedArrayBuffer(1024);
  const { worker, ended } = start('flip', { ...config, flips: 1_000_000 }, { memory });
  await once(worker, 'online');
  const before = process.memoryUsage.rss();
  Atomics.wait(new Int32Array(memory), STOPPED, 0, 60_000);
  const grown = process.memoryUsage.rss() - before;
  assert.deepEqual(await ended, [0]);
  await until(() => received.length > 0);
  assert.deepEqual(
    received,
    Array.from({ length: 64 }, (_, index) => 1_000_000 - 63 + index),
  );
  assert.equal(breaker.missedEvents, 1_000_000 - 64);
  assert.ok(grown < 32 * 2 ** 20, `${grown} bytes`);
});

test('a listener that was removed receives nothing', async () => {
  const { config, breaker } = sharing();
  const received = [];
  const silence = breaker.subscribe((event) => received.push(event));
  assert.equal(silence(), true);
  await run('fail', config);
  await new Promise(setImmediate);
  assert.deepEqual([received, breaker.state], [[], 'open']);
});

test('a name has one configuration while somebody holds it', async () => {
  const { config, breaker } = sharing();
  const other = { ...config, failureThreshold: 2, share: 'threads' };
  assert.throws(
    () => new CircuitBreaker(other),
    (error) =>
      error instanceof NameConflictError && error.code === 'NAME_CONFLICT' && error.circuitName === config.name,
  );
  const again = new CircuitBreaker({ ...config, timeoutSeconds: 60, share: 'threads' });
  breaker.acquire().failure();
  assert.equal(again.state, 'open');
  breaker.reconfigure({ ...config, failureThreshold: 2 });
  assert.deepEqual([again.config.failureThreshold, again.matches({ ...config, failureThreshold: 2 })], [2, true]);
  assert.equal(new CircuitBreaker(other).state, 'open');
});

test('a registry hands out breakers that are shared', () => {
  const { config, breaker } = sharing();
  const registry = new Registry(2, { share: 'threads' });
  breaker.acquire().failure();
  assert.equal(registry.getOrCreate(config).state, 'open');
  assert.throws(() => new Registry(2, { share: 'threads' }).getOrCreate({ ...config, failureThreshold: 2 }), {
    code: 'NAME_CONFLICT',
  });
});

test('the number of names is bounded, and idle circuits without a holder are dropped first', () => {
  const script = `
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { CircuitBreaker } from 'halfopen';
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    const share = (n) => new CircuitBreaker({ name: 'circuit ' + n, failureThreshold: 1, share: 'threads' });
    for (let n = 0; n < 10_000; n += 1) share(n).acquire().failure();
    try { share('too many') } catch (error) { console.log(error.name, error.code, error.bound) }
    share(0).reset();
    for (let n = 0; n < 5; n += 1) { await new Promise(setImmediate); gc(); }
    console.log(share('in time').state, share(1).state);
  `;
  assert.equal(printedBy(script), 'RegistryFullError REGISTRY_FULL 10000\nclosed open\n');
});

test('a circuit that nobody holds keeps its state, and takes another configuration', async () => {
  names += 1;
  const config = { name: `shared ${names}`, failureThreshold: 1 };
  await run('fail', config);
  assert.deepEqual(await run('read', { ...config, failureThreshold: 2 }), [{ state: 'open', totalCalls: 1 }]);
});

test('a breaker that is collected with an unsettled permit settles it', async () => {
  const { config, breaker } = sharing();
  (() => {
    globalThis.forgotten = new WeakRef(new CircuitBreaker({ ...config, share: 'threads' }));
    globalThis.forgotten.deref().call(() => new Promise(() => undefined));
    globalThis.forgotten.deref().acquire();
  })();
  assert.equal(breaker.status().inFlight, 2);
  await collectedUntil(() => breaker.status().inFlight === 0);
  assert.deepEqual([breaker.status().inFlight, breaker.status().cancelledCalls], [0, 2]);
});

test('a breaker that is collected with its listeners leaves none behind', async () => {
  const { config, breaker } = sharing();
  (() => new CircuitBreaker({ ...config, share: 'threads' }).subscribe(() => undefined))();
  assert.equal(breaker.isIdle(), false);
  await collectedUntil(() => breaker.isIdle());
  assert.equal(breaker.isIdle(), true);
});

test('each thread has its own classifier', async () => {
  const { config, breaker } = sharing();
  await run('fail', { ...config, classifyAs: 'ignored' });
  await assert.rejects(breaker.call(() => Promise.reject(new Error('down'))));
  const { ignoredCalls, failedCalls } = breaker.status();
  assert.deepEqual([ignoredCalls, failedCalls], [1, 1]);
});

test('what cannot be shared is refused by name', () => {
  for (const share of ['processes', true, null, 1]) {
    assert.throws(
      () => new CircuitBreaker({ share }),
      (error) => error instanceof InvalidValueError && error.field === 'share' && error.message.includes("'threads'"),
    );
  }
  assert.throws(
    () => new CircuitBreaker({ share: 'threads', clock: new ManualClock() }),
    (error) => error instanceof InvalidValueError && error.field === 'clock' && error.message.includes('share'),
  );
});
