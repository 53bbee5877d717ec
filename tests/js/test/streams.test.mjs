/** An async generator that a guarded call returns is judged when it ends. */

import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import vm from 'node:vm';

import { transform } from 'esbuild';

import { collectedUntil } from '../garbage.mjs';
import { onStage } from './stage.mjs';

async function* whole() {
  yield 1;
  yield 2;
}

async function* broken() {
  yield 1;
  throw new Error('the connection is gone');
}

/** The ways to a guarded stream. */
const WAYS = {
  called: (breaker, stream) => breaker.call(stream),
  wrapped: (breaker, stream) => breaker.wrap(stream)(),
  'opened by an async function': (breaker, stream) => breaker.call(async () => stream()),
  'guarded twice': async (breaker, stream) => breaker.call(() => onStage().breaker.call(stream)),
};

async function drain(stream) {
  const items = [];
  for await (const item of stream) {
    items.push(item);
  }
  return items;
}

test('a stream succeeds when it ends', async (t) => {
  for (const [way, guard] of Object.entries(WAYS)) {
    await t.test(way, async () => {
      const { breaker } = onStage();
      const stream = await guard(breaker, whole);
      assert.deepEqual([breaker.status().inFlight, breaker.status().successfulCalls], [1, 0]);
      assert.deepEqual(await drain(stream), [1, 2]);
      assert.deepEqual([breaker.status().inFlight, breaker.status().successfulCalls], [0, 1]);
      assert.deepEqual(await stream.next(), { value: undefined, done: true });
      assert.equal(breaker.status().successfulCalls, 1);
    });
  }
});

test('a stream that breaks is a failure', async (t) => {
  for (const [way, guard] of Object.entries(WAYS)) {
    await t.test(way, async () => {
      const { breaker } = onStage({ failureThreshold: 1 });
      await assert.rejects(drain(await guard(breaker, broken)), { message: 'the connection is gone' });
      assert.deepEqual([breaker.state, breaker.status().failedCalls, breaker.status().inFlight], ['open', 1, 0]);
      await assert.rejects(guard(breaker, whole), { code: 'CIRCUIT_OPEN' });
    });
  }
});

test('a consumer that stops early is neutral', async () => {
  const { breaker } = onStage();
  let cleaned = 0;
  async function* endless() {
    try {
      for (;;) {
        yield 1;
      }
    } finally {
      cleaned += 1;
    }
  }
  for await (const item of await breaker.call(endless)) {
    assert.equal(item, 1);
    break;
  }
  const unread = await breaker.call(endless);
  assert.deepEqual(await unread.return('enough'), { value: 'enough', done: true });
  assert.deepEqual([breaker.status().cancelledCalls, breaker.status().inFlight, cleaned], [2, 0, 1]);
});

test('a stream is passed on both ways', async () => {
  const { breaker } = onStage();
  const stream = await breaker.call(async function* () {
    let sent = yield 'ready';
    try {
      sent = yield sent.toUpperCase();
    } catch {
      yield 'caught';
    }
    return 'bye';
  });
  assert.deepEqual(await stream.next(), { value: 'ready', done: false });
  assert.deepEqual(await stream.next('hello'), { value: 'HELLO', done: false });
  assert.deepEqual(await stream.throw(new Error('stop')), { value: 'caught', done: false });
  assert.deepEqual(await stream.next(), { value: 'bye', done: true });
  assert.equal(breaker.status().successfulCalls, 1);
  assert.equal(Object.prototype.toString.call(stream), '[object AsyncGenerator]');
});

test('items that are asked for at once come in order', async () => {
  const { breaker } = onStage();
  const stream = await breaker.call(whole);
  const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
  assert.deepEqual(
    steps.map(({ value }) => value),
    [1, 2, undefined, undefined],
  );
  assert.deepEqual([breaker.status().successfulCalls, breaker.status().inFlight], [1, 0]);
});

test('what its consumer throws into a stream is not an error of the provider', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const mine = new Error('mine');
  const started = await breaker.call(whole);
  await started.next();
  await assert.rejects(started.throw(mine), mine);
  const unread = await breaker.call(whole);
  await assert.rejects(unread.throw(mine), mine);
  assert.deepEqual([breaker.status().cancelledCalls, breaker.status().inFlight, breaker.state], [2, 0, 'closed']);

  const answered = await breaker.call(async function* () {
    try {
      yield 1;
    } catch {
      throw new Error('theirs');
    }
  });
  await answered.next();
  await assert.rejects(answered.throw(mine), { message: 'theirs' });
  assert.equal(breaker.state, 'open');
});

test('a client that leaves a stream of Node is neutral', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const client = new Writable({
    objectMode: true,
    write: (_chunk, _encoding, written) => written(new Error('the client is gone')),
  });
  await assert.rejects(pipeline(Readable.from(await breaker.call(whole)), client), { message: 'the client is gone' });
  await new Promise(setImmediate);
  assert.deepEqual([breaker.status().cancelledCalls, breaker.status().inFlight, breaker.state], [1, 0, 'closed']);
});

test('a stream stays the object that it is', async () => {
  const { breaker } = onStage();
  const made = Object.assign(whole(), { controller: new AbortController() });
  const stream = await breaker.call(() => made);
  assert.equal(stream, made);
  assert.ok(stream instanceof whole && stream.controller.signal);
  assert.deepEqual(Object.keys(stream), ['controller']);
});

test('a frozen stream has ended with its call', async () => {
  const { breaker } = onStage();
  const frozen = Object.freeze(whole());
  assert.deepEqual(await drain(await breaker.call(() => frozen)), [1, 2]);
  assert.deepEqual([breaker.status().successfulCalls, breaker.status().inFlight], [1, 0]);
});

test('a stream without `return` has none', async () => {
  const { breaker } = onStage();
  const stream = await breaker.call(() => Object.assign(whole(), { return: undefined }));
  for await (const item of stream) {
    assert.equal(item, 1);
    break;
  }
  assert.deepEqual(await drain(stream), [2]);
  assert.equal(breaker.status().successfulCalls, 1);
});

test('a stream that has ended is not judged again', async () => {
  const judged = [];
  const { breaker } = onStage({}, { classify: (error) => judged.push(error) && 'failure' });
  const stream = await breaker.call(whole);
  await drain(stream);
  await assert.rejects(stream.throw(new Error('late')), { message: 'late' });
  assert.deepEqual(judged, []);
});

test('a stream that is collected gives its permit back', async () => {
  const { breaker } = onStage();
  await breaker.call(whole).then((stream) => stream.next());
  await collectedUntil(() => breaker.status().inFlight === 0);
  assert.deepEqual([breaker.status().cancelledCalls, breaker.status().inFlight], [1, 0]);
});

test("the time that the consumer of a forgotten stream took is not its provider's", async () => {
  const { breaker, clock } = onStage({ failureThreshold: 1, cancelFailureAfterSeconds: 10 });
  await (await breaker.call(whole)).next();
  clock.advance(20_000);
  await collectedUntil(() => breaker.status().inFlight === 0);
  assert.equal(breaker.status().cancelledCalls, 1);
  assert.equal(breaker.state, 'closed');
});

test('a result that only looks like a stream, or that cannot be read, is a plain result', async () => {
  const { breaker } = onStage();
  const refuses = () => {
    throw new Error('do not look');
  };
  const closed = new Proxy({}, { getPrototypeOf: refuses });
  for (const result of [
    null,
    {},
    [1],
    whole,
    { next: whole, return: whole, throw: whole },
    new Map().entries(),
    closed,
  ]) {
    assert.equal(await breaker.call(() => result), result);
  }
  assert.deepEqual([breaker.status().successfulCalls, breaker.status().inFlight], [7, 0]);
});

const LOWERED = `(async function* (parts, error) {
  for (const part of parts) {
    yield part;
  }
  if (error) {
    throw error;
  }
})`;

/** The same generator function as a compiler for older targets emits it, and one of another realm. */
const MAKES = {
  esbuild: async () => {
    const { code } = await transform(LOWERED, { target: 'es2017' });
    return vm.runInThisContext(code);
  },
  'another realm': async () => vm.runInNewContext(LOWERED, { Promise }),
};

for (const [make, compile] of Object.entries(MAKES)) {
  test(`a stream is known by its shape: ${make}`, async () => {
    const stream = await compile();
    const { breaker } = onStage({ failureThreshold: 2 });
    assert.deepEqual(await drain(await breaker.call(() => stream([1, 2]))), [1, 2]);
    const error = new Error('the connection is gone');
    await assert.rejects(drain(await breaker.call(() => stream([1], error))), error);
    const left = await breaker.call(() => stream([1, 2]));
    for await (const item of left) {
      assert.equal(item, 1);
      break;
    }
    const { successfulCalls, failedCalls, cancelledCalls, inFlight } = breaker.status();
    assert.deepEqual([successfulCalls, failedCalls, cancelledCalls, inFlight], [1, 1, 1, 0]);
  });
}

test("the time that a consumer takes is not the provider's", async () => {
  const config = { failureThreshold: null, slowCallSeconds: 1, slowCallRateThreshold: 0.5, minimumCalls: 1 };
  const { breaker, clock } = onStage(config);
  const stream = await breaker.call(whole);
  for (let step = 0; step < 3; step += 1) {
    clock.advance(60_000);
    await stream.next();
  }
  assert.deepEqual([breaker.status().slowCalls, breaker.durations().success.totalSeconds], [0, 0]);

  const slow = await breaker.call(async function* () {
    clock.advance(700);
    yield 1;
    clock.advance(700);
  });
  clock.advance(60_000);
  await slow.next();
  clock.advance(60_000);
  await slow.next();
  assert.deepEqual([breaker.status().slowCalls, breaker.state], [1, 'open']);
});

test('streams are overdue only while their consumers wait', async () => {
  const config = { slowCallSeconds: 4, slowCallRateThreshold: 0.5, minimumCalls: 10 };
  const { breaker, clock } = onStage(config);
  let answer;
  const answered = new Promise((resolve) => {
    answer = resolve;
  });
  const streams = await Promise.all(
    Array.from({ length: 20 }, () =>
      breaker.call(async function* () {
        yield 1;
        await answered;
      }),
    ),
  );
  for (const stream of streams) {
    await stream.next();
  }
  clock.advance(60_000);
  breaker.acquire().success();
  const ends = streams.map((stream) => stream.next());
  clock.advance(5000);
  assert.throws(() => breaker.acquire(), { code: 'CIRCUIT_OPEN' });
  answer();
  await Promise.all(ends);
  assert.deepEqual([breaker.status().successfulCalls, breaker.status().slowCalls], [21, 20]);
});
