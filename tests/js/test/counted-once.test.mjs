/** A failure counts once on its way out through the layers of one breaker, whatever it passes through. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { onStage, opened } from './stage.mjs';

const turn = () => new Promise(setImmediate);

async function readAll(stream) {
  for await (const _ of stream) {
    // The stream is read for its end only.
  }
}

/** Ways to make a call of `work`; each returns a promise that is rejected with the error of `work`. */
const WAYS = {
  call: (breaker, work) => breaker.call(work),
  wrap: (breaker, work) => breaker.wrap(work)(),
  'call with options': (breaker, work) => breaker.call(work, {}),
  'call that awaits first': (breaker, work) =>
    breaker.call(async () => {
      await null;
      return await work();
    }),
  'call that waits for the event loop': (breaker, work) =>
    breaker.call(async () => {
      await turn();
      return await work();
    }),
  'first step of a stream': async (breaker, work) =>
    readAll(
      await breaker.call(async function* () {
        yield await work();
      }),
    ),
  'later step of a stream': async (breaker, work) =>
    readAll(
      await breaker.call(async function* () {
        yield 1;
        await turn();
        await work();
      }),
    ),
  'stream made by an async function': async (breaker, work) =>
    readAll(
      await breaker.call(async () => {
        await turn();
        return (async function* () {
          yield 1;
          await work();
        })();
      }),
    ),
};

const fail = async () => {
  throw new Error('down');
};

const counted = ({ failedCalls, ignoredCalls, inFlight }) => [failedCalls, ignoredCalls, inFlight];

for (const [outerName, outer] of Object.entries(WAYS)) {
  for (const [innerName, inner] of Object.entries(WAYS)) {
    test(`${innerName} inside ${outerName}`, async () => {
      const { breaker } = onStage({ failureThreshold: 100 });
      await assert.rejects(
        outer(breaker, () => inner(breaker, fail)),
        /down/,
      );
      assert.deepEqual(counted(breaker.status()), [1, 1, 0]);
    });

    test(`${innerName} inside ${outerName} of a probe`, async () => {
      const { breaker, clock } = opened({ halfOpenMaxCalls: 1 });
      clock.advance(10_000);
      await assert.rejects(
        outer(breaker, () => inner(breaker, fail)),
        /down/,
      );
      const { state, rejectedCalls, stateTransitions } = breaker.status();
      assert.deepEqual([...counted(breaker.status()), state], [2, 0, 0, 'open']);
      assert.deepEqual([rejectedCalls, stateTransitions], [0, 3]);
    });
  }
}

for (const [name, way] of Object.entries(WAYS)) {
  test(`five layers: ${name}`, async () => {
    const { breaker } = onStage({ failureThreshold: 2 });
    const layer = (depth) => (depth === 0 ? fail() : way(breaker, () => layer(depth - 1)));
    await assert.rejects(layer(5), /down/);
    assert.deepEqual([...counted(breaker.status()), breaker.state], [1, 4, 0, 'closed']);
  });
}

test('an error that passes through promises of other tasks', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  let wake;
  const started = new Promise((resolve) => {
    wake = resolve;
  });
  const worker = started.then(() => breaker.call(fail));
  await assert.rejects(
    breaker.call(() => {
      wake();
      return worker;
    }),
    /down/,
  );
  assert.deepEqual(counted(breaker.status()), [1, 1, 0]);
});

const GATHERED = {
  all: (works) => Promise.all(works),
  race: (works) => Promise.race(works),
  any: (works) => Promise.any(works),
  'any in any': ([first, ...works]) => Promise.any([first, Promise.any(works)]),
};

for (const [name, gather] of Object.entries(GATHERED)) {
  test(`errors that one call gathers: ${name}`, async () => {
    const { breaker } = onStage({ failureThreshold: 100 });
    await assert.rejects(
      breaker.call(async () => {
        await turn();
        return gather(Array.from({ length: 10 }, () => breaker.call(fail)));
      }),
    );
    await turn();
    assert.deepEqual(counted(breaker.status()), [10, 1, 0]);
  });
}

test('a group with an error that nobody counted is a failure', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  const outer = (other) => breaker.call(() => Promise.any([breaker.call(fail), other]));
  await assert.rejects(outer(Promise.reject(new Error('of its own'))), AggregateError);
  assert.deepEqual(counted(breaker.status()), [2, 0, 0]);
  const aborted = Promise.reject(new DOMException('stopped', 'AbortError'));
  await assert.rejects(outer(aborted), AggregateError);
  assert.deepEqual(counted(breaker.status()), [3, 1, 0], 'an abort is no failure of its own');
});

test('an error that is thrown again by a later call counts again', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  const shared = new Error('the connection is gone');
  for (let call = 0; call < 3; call += 1) {
    await assert.rejects(breaker.call(() => Promise.reject(shared)));
  }
  await Promise.allSettled(Array.from({ length: 3 }, () => breaker.call(() => Promise.reject(shared))));
  assert.deepEqual(counted(breaker.status()), [6, 0, 0]);
});

test('one error of calls that run side by side counts for each, as soon as it is known to be shared', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  const shared = new Error('the connection is gone');
  const ends = [];
  const calls = Array.from({ length: 10 }, () => breaker.call(() => new Promise((_, end) => ends.push(end))));
  const all = Promise.allSettled(calls);
  for (const place of [0, 4, 9, 8, 7, 6, 5, 3, 2, 1]) {
    ends[place](shared);
    await turn();
  }
  await all;
  assert.deepEqual(counted(breaker.status()), [10, 0, 0]);
});

test('an error of another breaker is a failure of each', async () => {
  const { breaker: inner } = onStage({ failureThreshold: 100 });
  const { breaker: outer } = onStage({ failureThreshold: 100 });
  await assert.rejects(
    outer.call(() => inner.call(fail)),
    /down/,
  );
  assert.deepEqual(
    [counted(inner.status()), counted(outer.status())],
    [
      [1, 0, 0],
      [1, 0, 0],
    ],
  );
});

test('a failure after an inner one that was caught counts', async () => {
  const { breaker } = onStage({ failureThreshold: 100 });
  await assert.rejects(
    breaker.call(async () => {
      await breaker.call(fail).catch(() => null);
      await breaker.call(fail).catch(() => null);
      throw new Error('third');
    }),
    /third/,
  );
  assert.deepEqual(counted(breaker.status()), [3, 0, 0]);
});
