/** Calls of one breaker that are made inside each other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InvalidValueError } from 'halfopen';

import { onStage, opened } from './stage.mjs';

/** A breaker with one probe slot whose wait is over. */
function probing(config = {}) {
  const stage = opened({ halfOpenMaxCalls: 1, successThreshold: 1, ...config });
  stage.clock.advance(10_000);
  return stage;
}

class Lazy {
  #work;

  constructor(work) {
    this.#work = work;
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting it is its purpose
  then(resolve, reject) {
    return this.#work().then(resolve, reject);
  }
}

const LAYERS = {
  'made at once': async (work) => work(),
  'made after an await': async (work) => {
    await null;
    return work();
  },
  'made after a turn of the event loop': async (work) => {
    await new Promise(setImmediate);
    return work();
  },
  // A query builder sends its query when it is awaited.
  'made by a lazy promise': (work) => new Lazy(work),
};

for (const [when, layer] of Object.entries(LAYERS)) {
  test(`a healthy provider behind two layers closes the circuit with the outer call: ${when}`, async () => {
    const { breaker } = probing();
    const query = breaker.wrap(async () => 'row');
    const user = breaker.wrap(() => layer(query));
    assert.equal(await user(), 'row');
    const { state, totalCalls, successfulCalls, rejectedCalls, inFlight } = breaker.status();
    assert.deepEqual([state, totalCalls, successfulCalls, rejectedCalls, inFlight], ['closed', 2, 1, 0, 0]);
  });
}

test('recursion of four inside a probe takes one slot and has one vote', async () => {
  const { breaker } = probing({ successThreshold: 2 });
  const recurse = breaker.wrap(async (depth) => (depth === 0 ? 'bottom' : recurse(depth - 1)));
  assert.equal(await recurse(4), 'bottom');
  assert.deepEqual([breaker.state, breaker.status().consecutiveSuccesses], ['half_open', 1]);
});

test('a failing provider behind two layers of a probe opens the circuit once', async () => {
  const { breaker } = probing();
  const query = breaker.wrap(() => Promise.reject(new Error('down')));
  await assert.rejects(breaker.call(query), /down/);
  const { state, failedCalls, stateTransitions } = breaker.status();
  assert.deepEqual([state, failedCalls, stateTransitions], ['open', 2, 3]);
});

test('a permit that is acquired inside a probe shares its permit', async () => {
  const { breaker } = probing();
  await breaker.call(async () => {
    await null;
    breaker.acquire().failure();
    assert.equal(breaker.state, 'half_open');
  });
  assert.equal(breaker.state, 'closed');
});

test('a permit says what is made inside it', async () => {
  const { breaker } = probing();
  const outer = breaker.acquire();
  assert.throws(() => breaker.acquire(), { reason: 'probes_busy' });
  breaker.acquire({ inside: outer }).failure();
  assert.equal(await breaker.call(() => 'inside', { inside: outer }), 'inside');
  assert.deepEqual([breaker.state, breaker.status().inFlight], ['half_open', 1]);
  outer.success();
  assert.equal(breaker.state, 'closed');
});

test('no call shares the permit of a probe that has ended, or of another breaker', async () => {
  const { breaker, clock } = probing();
  const { breaker: other } = probing();
  const foreign = other.acquire();
  const ended = breaker.acquire();
  ended.failure();
  clock.advance(10_000);
  const probe = breaker.acquire({ inside: ended });
  for (const inside of [ended, foreign]) {
    assert.throws(() => breaker.acquire({ inside }), { reason: 'probes_busy' });
  }
  probe.success();
  assert.equal(breaker.state, 'closed');
});

test('work that a probe left running does not share its permit after its end', async () => {
  const { breaker } = probing({ successThreshold: 5 });
  let later;
  await breaker.call(() => {
    later = new Promise(setImmediate).then(() => breaker.call(() => 'a probe of its own'));
  });
  await later;
  assert.equal(breaker.status().consecutiveSuccesses, 2);
});

test('the steps of a stream that a probe returned are inside it', async () => {
  const { breaker } = probing();
  const inner = breaker.wrap(async (n) => n);
  const stream = await breaker.call(async function* () {
    yield await inner(1);
    yield await inner(2);
  });
  const items = [];
  for await (const item of stream) {
    items.push(item);
  }
  assert.deepEqual([items, breaker.state, breaker.status().rejectedCalls], [[1, 2], 'closed', 0]);
});

test('one error that passes through five layers of one breaker is one failure', async () => {
  const { breaker } = onStage({ failureThreshold: 2 });
  const layer = breaker.wrap(async (depth) => {
    if (depth === 0) {
      throw new Error('down');
    }
    return await layer(depth - 1);
  });
  await assert.rejects(layer(4), /down/);
  const { state, failedCalls, ignoredCalls } = breaker.status();
  assert.deepEqual([state, failedCalls, ignoredCalls], ['closed', 1, 4]);
});

test('an error that is thrown at once passes through layers as one failure, too', async () => {
  const { breaker } = onStage();
  const inner = breaker.wrap(() => {
    throw new Error('down');
  });
  await assert.rejects(
    breaker.call(() => inner()),
    /down/,
  );
  assert.deepEqual([breaker.status().failedCalls, breaker.status().ignoredCalls], [1, 1]);
});

test('another error than the inner one is a failure of its own', async () => {
  const { breaker } = onStage();
  const inner = breaker.wrap(() => Promise.reject(new Error('inner')));
  await assert.rejects(
    breaker.call(() =>
      inner().catch((cause) => {
        throw new Error('outer', { cause });
      }),
    ),
    /outer/,
  );
  assert.equal(breaker.status().failedCalls, 2);
});

test('one error of many calls that are not inside each other counts for each', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  const shared = new Error('the connection is gone');
  const failing = (turns) =>
    breaker.call(async () => {
      for (let turn = 0; turn < turns; turn += 1) {
        await null;
      }
      throw shared;
    });
  await Promise.allSettled([failing(1), failing(1)]);
  await Promise.allSettled([failing(5), failing(1)]);
  await assert.rejects(failing(0), shared);
  assert.deepEqual([breaker.status().failedCalls, breaker.status().ignoredCalls], [5, 0]);
});

test('a rejection by any breaker is ignored, unless a classifier says otherwise', async () => {
  const { breaker: inner } = onStage({ name: 'inner' });
  inner.forceOpen();
  const { breaker: outer } = onStage({ failureThreshold: 1 });
  await assert.rejects(
    outer.call(() => inner.call(() => 'never')),
    { code: 'CIRCUIT_OPEN', circuitName: 'inner' },
  );
  assert.deepEqual([outer.state, outer.status().ignoredCalls], ['closed', 1]);
  const { breaker: strict } = onStage({ failureThreshold: 1 }, { classify: () => 'failure' });
  await assert.rejects(
    strict.call(() => inner.call(() => 'never')),
    { circuitName: 'inner' },
  );
  assert.equal(strict.state, 'open');
});

test('options of a call that do not fit are refused, and no call is counted', async () => {
  const { breaker } = onStage();
  for (const [options, field] of [
    [{ inside: {} }, 'inside'],
    [{ signal: 5 }, 'signal'],
    [{ signals: undefined, sygnal: 1 }, 'sygnal'],
    ['an argument', 'options'],
    [null, 'options'],
  ]) {
    await assert.rejects(
      breaker.call(() => 1, options),
      (error) => error instanceof InvalidValueError && error.field === field,
    );
  }
  assert.throws(() => breaker.acquire({ signal: new AbortController().signal }), { field: 'signal' });
  assert.equal(breaker.status().totalCalls, 0);
});
