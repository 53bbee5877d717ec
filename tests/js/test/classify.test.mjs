import assert from 'node:assert/strict';
import { test } from 'node:test';

import { onStage, warningsOf } from './stage.mjs';

const COUNTERS = {
  success: 'successfulCalls',
  failure: 'failedCalls',
  ignored: 'ignoredCalls',
  cancelled: 'cancelledCalls',
};

for (const [outcome, counter] of Object.entries(COUNTERS)) {
  test(`a classifier that says ${outcome} decides, and the caller still gets the error`, async () => {
    const seen = [];
    const classify = (error) => {
      seen.push(error);
      return outcome;
    };
    const { breaker } = onStage({}, { classify });
    const own = new DOMException('even this one', 'AbortError');
    assert.equal(await breaker.call(() => Promise.reject(own)).catch((error) => error), own);
    assert.deepEqual(seen, [own]);
    assert.equal(breaker.status()[counter], 1);
    await breaker.call(() => 'a result is not classified');
    assert.equal(seen.length, 1);
  });
}

const FAULTS = {
  throws: () => {
    throw new Error('confused');
  },
  nothing: () => undefined,
  'a typo': () => 'failed',
  'a number': () => 1,
  'an inherited name': () => 'constructor',
  'a promise': () => Promise.reject(new Error('async by mistake')),
};

for (const [name, classify] of Object.entries(FAULTS)) {
  test(`a classifier with a fault is reported once, and the call counts as a failure: ${name}`, async () => {
    const { breaker } = onStage({}, { classify });
    const own = new Error("the function's own");
    const warnings = await warningsOf(async () => {
      for (let round = 0; round < 3; round += 1) {
        assert.equal(await breaker.call(() => Promise.reject(own)).catch((error) => error), own);
      }
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /classifier/);
    const { failedCalls, inFlight } = breaker.status();
    assert.deepEqual([failedCalls, inFlight], [3, 0]);
  });
}

const rejection = () => {
  const { breaker } = onStage({ name: 'other' });
  breaker.forceOpen();
  return breaker.call(() => 'never').catch((error) => error);
};
const aborted = new DOMException('stopped', 'AbortError');
const GROUPS = {
  'rejections and nothing else': [async () => [await rejection(), await rejection()], 'ignored'],
  'a rejection and a failure': [async () => [await rejection(), new Error('down')], 'failure'],
  'a rejection and an abort': [async () => [aborted, await rejection()], 'cancelled'],
  'a rejection in a group': [async () => [new AggregateError([await rejection()])], 'ignored'],
  nothing: [async () => [], 'failure'],
};

for (const [name, [membersOf, outcome]] of Object.entries(GROUPS)) {
  test(`the worst member of a group of errors counts: ${name}`, async () => {
    const { breaker } = onStage();
    const group = new AggregateError(await membersOf());
    assert.equal(await breaker.call(() => Promise.reject(group)).catch((error) => error), group);
    const { failedCalls, ignoredCalls, cancelledCalls } = breaker.status();
    const expected = { failedCalls: 0, ignoredCalls: 0, cancelledCalls: 0, [COUNTERS[outcome]]: 1 };
    assert.deepEqual({ failedCalls, ignoredCalls, cancelledCalls }, expected);
  });
}

test('a group that contains itself, or that cannot be read, is a failure', async () => {
  const { breaker } = onStage();
  const endless = new AggregateError([]);
  endless.errors.push(endless);
  const unreadable = Object.defineProperty(new AggregateError([]), 'errors', {
    get: () => {
      throw new Error('no');
    },
  });
  for (const group of [endless, unreadable]) {
    await assert.rejects(breaker.call(() => breaker.call(() => Promise.reject(group))));
  }
  assert.deepEqual([breaker.status().failedCalls, breaker.status().ignoredCalls], [2, 2]);
});

test('a classifier that throws leaks no probe slot', async () => {
  const { breaker, clock } = onStage(
    { failureThreshold: 1, halfOpenMaxCalls: 1, timeoutSeconds: 10 },
    { classify: FAULTS.throws },
  );
  for (let round = 0; round < 3; round += 1) {
    await assert.rejects(
      breaker.call(() => Promise.reject(new Error('down'))),
      /down/,
    );
    clock.advance(10_000);
  }
  assert.equal(breaker.state, 'half_open');
});

const FAILING = {
  rejects: () => Promise.reject(new Error('own')),
  throws: () => {
    throw new Error('own');
  },
};

for (const [how, fail] of Object.entries(FAILING)) {
  test(`a classifier may use the breaker whose call ${how}`, async () => {
    let breaker;
    const judged = [];
    const classify = ({ message }) => {
      judged.push(message);
      if (message === 'own') {
        breaker.reset();
        const inner = () => {
          throw new Error('inner');
        };
        breaker.call(inner).catch(({ message }) => assert.equal(message, 'inner'));
      }
      return breaker.status().inFlight > 0 ? 'ignored' : 'failure';
    };
    ({ breaker } = onStage({}, { classify }));
    await assert.rejects(breaker.call(fail), /own/);
    assert.deepEqual(judged.sort(), ['inner', 'own']);
    assert.deepEqual([breaker.status().ignoredCalls, breaker.status().inFlight], [2, 0]);
  });
}

test('an error whose name cannot be read is a failure', async () => {
  const { breaker } = onStage({ failureThreshold: 5 });
  const poisoned = Object.defineProperty(new Error('odd'), 'name', {
    get() {
      throw new Error('no name');
    },
  });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const thrown of [poisoned, proxy]) {
    const fail = () => {
      throw thrown;
    };
    const seen = await breaker.call(fail).catch((error) => ({ error }));
    assert.equal(seen.error, thrown);
  }
  assert.equal(breaker.status().failedCalls, 2);
});

class APIConnectionError extends Error {}

test('a connection that failed because a circuit rejected it, or its caller left, is not a failure', async () => {
  const { breaker: inner } = onStage();
  inner.forceOpen();
  const rejection = await inner.call(() => 1).catch((error) => error);
  const fetched = new TypeError('fetch failed', { cause: rejection });
  const ignored = [fetched, new APIConnectionError('Connection error.', { cause: fetched })];
  const cancelled = new TypeError('fetch failed', { cause: new DOMException('away', 'AbortError') });
  const circular = new TypeError('circular');
  circular.cause = circular;
  const failed = [
    new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }),
    new TypeError('x is not a function'),
    new Error('a service of ours failed', { cause: rejection }),
    circular,
  ];
  const { breaker } = onStage({ failureThreshold: 100 });
  for (const error of [...ignored, cancelled, ...failed]) {
    await assert.rejects(
      breaker.call(() => Promise.reject(error)),
      (seen) => seen === error,
    );
  }
  const { ignoredCalls, cancelledCalls, failedCalls } = breaker.status();
  assert.deepEqual([ignoredCalls, cancelledCalls, failedCalls], [2, 1, 4]);
});
