/** Guarded calls with promises and thenables, and how they fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';

import { CircuitBreaker, CircuitBreakerOpenError, InvalidValueError } from 'halfopen';

import { printedBy } from '../own-process.mjs';
import { addsUp, onStage, opened } from './stage.mjs';

/** A promise with the functions that settle it. */
function promised() {
  const ends = {};
  const promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  return { promise, ...ends };
}

test('call and a wrapped function never throw, they reject', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const fail = () => {
    throw new RangeError('at once');
  };
  const calls = [breaker.call(fail), breaker.call('no function'), breaker.call(() => 'too late'), breaker.wrap(fail)()];
  const ends = await Promise.allSettled(calls);
  const kinds = ends.map(({ reason }) => reason.constructor);
  assert.deepEqual(kinds, [RangeError, InvalidValueError, CircuitBreakerOpenError, CircuitBreakerOpenError]);
  assert.ok(addsUp(breaker.status()));
});

test('promises of another realm and of a subclass, and thenables, are awaited', async () => {
  const { breaker } = onStage();
  class Tracked extends Promise {}
  const results = [
    await breaker.call(() => vm.runInNewContext('Promise.resolve("foreign")')),
    await breaker.call(() => Tracked.resolve('tracked')),
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    await breaker.call(() => ({ then: (resolve) => resolve({ then: (inner) => inner('in two steps') }) })),
  ];
  assert.deepEqual(results, ['foreign', 'tracked', 'in two steps']);
  assert.equal(breaker.status().successfulCalls, 3);
});

test('a thenable that settles twice counts once', async () => {
  const { breaker } = onStage();
  const chatty = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    then(resolve, reject) {
      resolve('first');
      reject(new Error('second'));
      resolve('third');
      throw new Error('fourth');
    },
  };
  assert.equal(await breaker.call(() => chatty), 'first');
  const { totalCalls, successfulCalls, failedCalls } = breaker.status();
  assert.deepEqual([totalCalls, successfulCalls, failedCalls], [1, 1, 0]);
});

test('a promise that changes its `then` while it is read ends only its own call', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const { then } = Promise.prototype;
  const lying = Promise.resolve('own');
  let looks = 0;
  Object.defineProperty(lying, 'then', {
    get() {
      looks += 1;
      return looks === 1 ? then : (resolve) => [resolve(1), resolve(2)] && then.call(lying);
    },
  });
  assert.equal(await breaker.call(() => lying), 'own');
  const [well, bad] = [promised(), promised()];
  const calls = [breaker.call(() => well.promise), breaker.call(() => bad.promise)];
  well.resolve('well');
  bad.reject(new Error('down'));
  await Promise.allSettled(calls);
  const { successfulCalls, failedCalls, inFlight, state } = breaker.status();
  assert.deepEqual([successfulCalls, failedCalls, inFlight, state], [2, 1, 0, 'open']);
});

test('a subclass may have any name, also one that throws when it is read', async () => {
  class Odd extends CircuitBreaker {
    get name() {
      throw new Error('a name of its own');
    }
  }
  const breaker = new Odd({ name: 'gemini' });
  breaker.forceOpen();
  await assert.rejects(
    breaker.call(() => 'never'),
    (error) => error instanceof CircuitBreakerOpenError && error.circuitName === 'gemini',
  );
  assert.equal(breaker.status().name, 'gemini');
});

test('a promise that cannot be read is a failure', async () => {
  const { breaker } = onStage();
  const poisoned = Object.defineProperty(Promise.resolve(1), 'constructor', {
    get() {
      throw new RangeError('poisoned');
    },
  });
  await assert.rejects(
    breaker.call(() => poisoned),
    RangeError,
  );
  const { failedCalls, inFlight } = breaker.status();
  assert.deepEqual([failedCalls, inFlight], [1, 0]);
});

test('a tracer that patches `then` changes no outcome', async () => {
  const { breaker } = onStage();
  const { then } = Promise.prototype;
  // biome-ignore lint/suspicious/noThenProperty: as some tracers do
  Promise.prototype.then = function (...handlers) {
    return then.apply(
      this,
      handlers.map((handler) => handler && ((value) => handler(value))),
    );
  };
  try {
    assert.equal(await breaker.call(async () => 1), 1);
    await assert.rejects(
      breaker.call(() => Promise.reject(new RangeError('down'))),
      RangeError,
    );
  } finally {
    // biome-ignore lint/suspicious/noThenProperty: back to what it was
    Promise.prototype.then = then;
  }
  const { successfulCalls, failedCalls } = breaker.status();
  assert.deepEqual([successfulCalls, failedCalls], [1, 1]);
});

test('replacing the global Promise changes no outcome', async () => {
  const { breaker } = onStage();
  const own = globalThis.Promise;
  globalThis.Promise = class {
    #promise;
    constructor(run) {
      this.#promise = new own(run);
    }
    static resolve = (value) => new globalThis.Promise((resolve) => resolve(value));
    // biome-ignore lint/suspicious/noThenProperty: as libraries with their own promises do
    then = (...handlers) => this.#promise.then(...handlers);
  };
  let answer;
  let refusal;
  try {
    answer = breaker.call(() => 1);
    breaker.forceOpen();
    refusal = breaker.call(() => 1);
  } finally {
    globalThis.Promise = own;
  }
  assert.equal(await answer, 1);
  await assert.rejects(refusal, CircuitBreakerOpenError);
  assert.ok(answer instanceof own && refusal instanceof own);
});

test('a rejection or failure that nobody handles is reported as any other', () => {
  const script = `
    import { CircuitBreaker } from 'halfopen';
    process.on('unhandledRejection', (error) => console.log(error.code));
    const breaker = new CircuitBreaker();
    breaker.forceOpen();
    breaker.call(() => 1);
    breaker.call(() => 1).catch(() => undefined);
    breaker.reset();
    const fail = async () => {
      throw Object.assign(new Error('the provider is down'), { code: 'DOWN' });
    };
    breaker.call(fail);
    breaker.call(fail).catch(() => undefined);
  `;
  assert.equal(printedBy(script), 'CIRCUIT_OPEN\nDOWN\n');
});

test('a rejection captures no stack, and other errors still do', async () => {
  const { breaker } = opened();
  const limit = Error.stackTraceLimit;
  const rejection = await breaker.call(() => 1).catch((error) => error);
  assert.equal(rejection.stack, `CircuitBreakerOpenError: ${rejection.message}`);
  assert.throws(
    () => breaker.acquire(),
    ({ stack, message }) => stack === `CircuitBreakerOpenError: ${message}`,
  );
  assert.equal(Error.stackTraceLimit, limit);
  const refusal = await breaker.call('no function').catch((error) => error);
  assert.match(refusal.stack, /\n {4}at /);
  const own = await onStage()
    .breaker.call(() => {
      throw new Error('own');
    })
    .catch((error) => error);
  assert.match(own.stack, /\n {4}at /);
});

for (const [how, prepare] of Object.entries({
  frozen: 'Object.freeze(Error)',
  gone: 'delete Error.stackTraceLimit',
  'no number': "Error.stackTraceLimit = 'all'",
})) {
  test(`a rejection leaves the limit of stacks as it was: ${how}`, () => {
    const script = `
      import { CircuitBreaker } from 'halfopen';
      ${prepare};
      const before = JSON.stringify(Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'));
      const breaker = new CircuitBreaker();
      breaker.forceOpen();
      const error = await breaker.call(() => 1).catch((error) => error);
      const after = JSON.stringify(Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'));
      console.log(error.code, error.reason, before === after);
    `;
    assert.equal(printedBy(script), 'CIRCUIT_OPEN forced_open true\n');
  });
}

test('a rejection shows where the call was made, where stacks are asked for', async () => {
  const breaker = new CircuitBreaker({ captureStack: true });
  breaker.forceOpen();
  async function askTheProvider() {
    return await breaker.call(() => 1);
  }
  const rejection = await askTheProvider().catch((error) => error);
  assert.match(rejection.stack, /\n {4}at .*askTheProvider/);
  assert.throws(
    () => breaker.acquire(),
    ({ stack }) => stack.includes('promises.test.mjs'),
  );
});

test("a rejection can be made for a user's own mock", () => {
  const named = new CircuitBreakerOpenError('gemini');
  assert.deepEqual([named.reason, named.retryAfter], ['open', null]);
  const full = new CircuitBreakerOpenError('gemini', 'probes_busy', 1);
  assert.deepEqual([full.reason, full.retryAfter, full.code], ['probes_busy', 1, 'CIRCUIT_OPEN']);
  assert.equal(new CircuitBreakerOpenError('gemini', 'open').retryAfter, null);
});
