import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as halfopen from 'halfopen';

import { onStage, opened } from './stage.mjs';

const { CircuitBreaker, CircuitBreakerOpenError, InvalidValueError } = halfopen;

test('the build is the one that was asked for', () => {
  const wish = process.env.HALFOPEN_BACKEND;
  assert.ok(wish === undefined || halfopen.backend === wish);
});

test('import and require give the same classes', () => {
  const required = createRequire(import.meta.url)('halfopen');
  const imported = new Map(Object.entries(halfopen));
  assert.ok(imported.size >= 6);
  for (const [name, value] of Object.entries(required)) {
    assert.equal(value, imported.get(name), name);
  }
});

test('a call gives back the result, and a wrapped function takes arguments', async () => {
  const { breaker } = onStage();
  assert.equal(await breaker.wrap(async (a, b) => a + b)(40, 2), 42);
  assert.equal(await breaker.call(() => 'plain'), 'plain');
  assert.equal(await breaker.call(() => undefined), undefined);
  assert.equal(breaker.status().successfulCalls, 3);
});

test('the function starts before call returns', () => {
  const { breaker } = onStage();
  let started = false;
  breaker.call(() => {
    started = true;
  });
  assert.ok(started);
  assert.equal(breaker.status().inFlight, 1);
});

test('every thenable that comes back is awaited before it is judged', async () => {
  const { breaker } = onStage();
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  const good = { then: (resolve) => queueMicrotask(() => resolve('in time')) };
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  const bad = { then: (_, reject) => queueMicrotask(() => reject(new Error('late'))) };
  const poisoned = Object.defineProperty({}, 'then', {
    get() {
      throw new RangeError('poisoned');
    },
  });
  const bound = async function () {
    throw new Error(this.message);
  }.bind({ message: 'from a bound function' });
  assert.equal(await breaker.call(() => good), 'in time');
  await assert.rejects(
    breaker.call(() => bad),
    /late/,
  );
  await assert.rejects(
    breaker.call(() => poisoned),
    RangeError,
  );
  await assert.rejects(breaker.call(bound), /bound/);
  const { successfulCalls, failedCalls, inFlight } = breaker.status();
  assert.deepEqual({ successfulCalls, failedCalls, inFlight }, { successfulCalls: 1, failedCalls: 3, inFlight: 0 });
});

test("the function's own error passes through untouched", async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  const frozen = Object.freeze(new Error('frozen'));
  for (const thrown of [frozen, 'text', 0, null, undefined, Symbol('odd'), { code: 'CIRCUIT_OPEN' }]) {
    const seen = await breaker.call(() => Promise.reject(thrown)).catch((error) => ({ error }));
    assert.equal(seen.error, thrown);
    const sync = await breaker
      .call(() => {
        throw thrown;
      })
      .catch((error) => ({ error }));
    assert.equal(sync.error, thrown);
  }
  assert.equal(breaker.status().failedCalls, 14);
});

test('the call that trips the circuit still shows the real error', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  await assert.rejects(
    breaker.call(() => Promise.reject(new TypeError('the real one'))),
    TypeError,
  );
  assert.equal(breaker.state, 'open');
});

test('a rejected call does not run, and says why, with a fresh error each time', async () => {
  const { breaker, clock } = opened({ name: 'gemini' });
  clock.advance(1500);
  const fail = () => assert.fail('it ran');
  const [one, other] = await Promise.all([1, 2].map(() => breaker.call(fail).catch((error) => error)));
  assert.notEqual(one, other);
  assert.ok(one instanceof CircuitBreakerOpenError && one instanceof Error);
  const { name, code, circuitName, reason, retryAfter } = one;
  assert.deepEqual(
    { name, code, circuitName, reason, retryAfter },
    { name: 'CircuitBreakerOpenError', code: 'CIRCUIT_OPEN', circuitName: 'gemini', reason: 'open', retryAfter: 8.5 },
  );
  assert.match(one.message, /gemini.*OPEN.*8\.5 s/);
  assert.equal(breaker.status().rejectedCalls, 2);
});

test('a rejection can be cloned, and written as JSON', async () => {
  const { breaker } = opened({ name: 'gemini' });
  breaker.forceOpen();
  const error = await breaker.call(() => 1).catch((rejection) => rejection);
  assert.equal(structuredClone(error).message, error.message);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    code: 'CIRCUIT_OPEN',
    circuitName: 'gemini',
    reason: 'forced_open',
    retryAfter: null,
    name: 'CircuitBreakerOpenError',
    message: error.message,
  });
  assert.deepEqual(structuredClone(error.toJSON()), error.toJSON());
});

test('wrap keeps the name, the length and this', async () => {
  const { breaker } = onStage();
  class Client {
    constructor(base) {
      this.base = base;
    }
    async fetch(path, _options) {
      return this.base + path;
    }
  }
  const original = Client.prototype.fetch;
  Client.prototype.fetch = breaker.wrap(original);
  assert.equal(Client.prototype.fetch.name, 'fetch');
  assert.equal(Client.prototype.fetch.length, original.length);
  assert.equal(await new Client('a').fetch('b'), 'ab');
  assert.equal(breaker.status().successfulCalls, 1);
  await assert.rejects(Promise.resolve().then(breaker.wrap(() => Promise.reject(new Error('own')))), /own/);
  assert.equal(breaker.status().failedCalls, 1);
});

test('a value that is not a function is refused, and no call is counted', async () => {
  const { breaker } = onStage();
  for (const junk of [undefined, null, 'f', {}, 5]) {
    await assert.rejects(breaker.call(junk), (error) => error instanceof InvalidValueError && error.field === 'fn');
    assert.throws(() => breaker.wrap(junk), InvalidValueError);
  }
  assert.equal(breaker.status().totalCalls, 0);
});

test('a class is refused where it is wrapped, because each call of it would fail', () => {
  const { breaker } = onStage();
  for (const kind of [class {}, class Client extends Map {}, Map]) {
    assert.throws(
      () => breaker.wrap(kind),
      (error) => error instanceof InvalidValueError && error.field === 'fn' && /no class/.test(error.message),
    );
  }
});

test('a class that is called says nothing about the provider', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  for (const kind of [class {}, class Client extends Map {}, Map]) {
    await assert.rejects(breaker.call(kind), TypeError);
  }
  const { state, failedCalls } = breaker.status();
  assert.deepEqual({ state, failedCalls }, { state: 'closed', failedCalls: 0 });
});

test('a proxy that throws when it is looked at is a failure like any other, and gives its permit back', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const refuse = () => {
    throw new Error('a proxy');
  };
  await assert.rejects(breaker.call(new Proxy(refuse, { apply: refuse, getOwnPropertyDescriptor: refuse })), /a proxy/);
  const { state, inFlight, failedCalls } = breaker.status();
  assert.deepEqual({ state, inFlight, failedCalls }, { state: 'open', inFlight: 0, failedCalls: 1 });
});

test('an aborted call says nothing about the provider, a timeout does', async () => {
  const { breaker } = onStage({ failureThreshold: 2 });
  const controller = new AbortController();
  const waiting = (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  const call = breaker.call(() => waiting(controller.signal));
  controller.abort();
  await assert.rejects(call, { name: 'AbortError' });
  const { cancelledCalls, failedCalls, inFlight } = breaker.status();
  assert.deepEqual([cancelledCalls, failedCalls, inFlight], [1, 0, 0]);
  await assert.rejects(breaker.call(() => Promise.reject(new DOMException('too late', 'TimeoutError'))));
  assert.equal(breaker.status().failedCalls, 1);
});

test('a cancelled probe gives its slot back', async () => {
  const { breaker, clock } = opened({ halfOpenMaxCalls: 1, successThreshold: 1 });
  clock.advance(10_000);
  const abort = () => Promise.reject(new DOMException('away', 'AbortError'));
  for (let round = 0; round < 5; round += 1) {
    await assert.rejects(breaker.call(abort), { name: 'AbortError' });
  }
  await breaker.call(() => 'healthy');
  assert.equal(breaker.state, 'closed');
});

test('a function may use its own breaker', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const result = await breaker.call(async () => {
    assert.equal(breaker.status().inFlight, 1);
    const inner = await breaker.call(() => 'inner');
    breaker.reset();
    return `${inner} ${breaker.state}`;
  });
  assert.equal(result, 'inner closed');
});

test('one breaker, four ways', async () => {
  const breaker = new CircuitBreaker();
  const double = async (n) => 2 * n;
  assert.equal(await breaker.call(() => double(21)), 42);
  assert.equal(await breaker.wrap(double)(21), 42);
  const permit = breaker.acquire();
  permit.success();
  {
    const block = breaker.acquire();
    block.success();
    block[Symbol.dispose]();
  }
  assert.equal(breaker.status().successfulCalls, 4);
});

test('twenty calls that hang open the circuit before one of them returns', async () => {
  const { breaker, clock } = onStage({ slowCallSeconds: 4, slowCallRateThreshold: 0.5, minimumCalls: 10 });
  let answer;
  const answered = new Promise((resolve) => {
    answer = resolve;
  });
  const calls = Array.from({ length: 20 }, () => breaker.call(() => answered));
  clock.advance(5000);
  await assert.rejects(
    breaker.call(() => answered),
    { code: 'CIRCUIT_OPEN' },
  );
  assert.deepEqual([breaker.state, breaker.status().inFlight], ['open', 20]);
  answer('at last');
  assert.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 20 }, () => 'at last'),
  );
  assert.equal(breaker.status().slowCalls, 20);
});
