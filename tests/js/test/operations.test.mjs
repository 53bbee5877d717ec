/** Live configuration, snapshots, listeners, hints, and the one sentence for an operator. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CircuitBreaker, InvalidValueError, ManualClock } from 'halfopen';

import { onStage, opened, warningsOf } from './stage.mjs';

const refusal = (run) => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof InvalidValueError, String(error));
    return error.field;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
};

test('reconfiguring keeps the name, the state and the running wait', () => {
  const { breaker, clock } = opened({ name: 'gemini' });
  breaker.reconfigure({ name: 'other', timeoutSeconds: 1 });
  assert.deepEqual([breaker.name, breaker.config.name, breaker.config.timeoutSeconds], ['gemini', 'gemini', 1]);
  clock.advance(9_999);
  assert.equal(breaker.state, 'open');
  clock.advance(1);
  assert.equal(breaker.state, 'half_open');
});

test('a bad new configuration is refused by name and changes nothing', () => {
  const { breaker } = onStage({ failureThreshold: 7 });
  assert.equal(
    refusal(() => breaker.reconfigure({ failureRateThreshold: 2 })),
    'failureRateThreshold',
  );
  assert.equal(breaker.config.failureThreshold, 7);
});

test('a bad window is refused by name', () => {
  const endless = [];
  endless.push(endless);
  const windows = [
    endless,
    {},
    { calls: 0 },
    { calls: endless },
    { calls: 5, seconds: 5 },
    { minutes: 5 },
    new Map(),
    new Proxy([], {
      get() {
        throw new Error('no');
      },
    }),
    new Array(1e9),
    'calls',
    5,
    null,
  ];
  for (const window of windows) {
    assert.equal(
      refusal(() => onStage({ window })),
      'window',
    );
  }
  assert.deepEqual(onStage({ window: { seconds: 60 } }).breaker.config.window, { seconds: 60 });
});

test('a snapshot goes on in another breaker', () => {
  const { breaker, clock } = opened({ failureRateThreshold: 0.5, window: { seconds: 10 } });
  clock.advance(2_500);
  const document = breaker.snapshot();
  assert.equal(JSON.parse(document).version, 1);
  const { breaker: other } = onStage({ ...breaker.config }, { clock: new ManualClock() });
  other.restore(document);
  const { state, retryAfterSeconds, failedCalls, windowFailed } = other.status();
  assert.deepEqual([state, retryAfterSeconds, failedCalls, windowFailed], ['open', 7.5, 1, 1]);
});

test('a damaged snapshot is refused by the part and changes nothing', () => {
  const { breaker } = opened();
  const before = breaker.status();
  const whole = JSON.parse(breaker.snapshot());
  for (const damaged of ['', '{', 'null', '[]', '{}', '['.repeat(100_000), undefined, 5, Symbol('s')]) {
    assert.match(
      refusal(() => breaker.restore(damaged)),
      /^snapshot/,
    );
  }
  for (const part of Object.keys(whole)) {
    const { [part]: _gone, ...rest } = whole;
    assert.equal(
      refusal(() => breaker.restore(JSON.stringify(rest))),
      `snapshot.${part}`,
    );
  }
  assert.deepEqual(breaker.status(), before);
});

test('a window of ten thousand calls survives a snapshot', () => {
  const config = { failureThreshold: null, failureRateThreshold: 1, window: { calls: 10_000 }, minimumCalls: 10_000 };
  const { breaker } = onStage(config);
  for (let call = 0; call < 10_000; call++) {
    breaker.acquire()[call % 3 === 0 ? 'failure' : 'success']();
  }
  const { breaker: other } = onStage(config);
  other.restore(breaker.snapshot());
  assert.deepEqual([other.status().windowCalls, other.status().windowFailed], [10_000, 3_334]);
});

test('a listener that is no function is refused by its own name', () => {
  const { breaker } = onStage();
  assert.throws(() => breaker.subscribe(5), { code: 'INVALID_VALUE', field: 'listener' });
});

test('a listener receives each transition in order until it is removed', () => {
  const { breaker, clock } = onStage({ failureThreshold: 1, timeoutSeconds: 10, successThreshold: 1 });
  const received = [];
  const stop = breaker.subscribe(({ sequence, cause }) => received.push([sequence, cause]));
  breaker.acquire().failure();
  clock.advance(10_000);
  breaker.acquire().success();
  breaker.forceOpen(5);
  breaker.reset();
  assert.deepEqual(received, [
    [1, 'consecutive_failures'],
    [2, 'timeout_elapsed'],
    [3, 'probes_succeeded'],
    [4, 'forced'],
    [5, 'reset'],
  ]);
  assert.equal(stop(), true);
  assert.equal(stop(), false);
  breaker.forceOpen();
  assert.equal(received.length, 5);
});

test('a listener receives all events that it causes itself, however many', () => {
  const { breaker } = onStage();
  const received = [];
  breaker.subscribe(({ sequence }) => {
    received.push(sequence);
    for (let round = 0; received.length === 1 && round < 100; round += 1) {
      breaker.reset();
      breaker.forceOpen();
    }
  });
  breaker.forceOpen();
  assert.deepEqual(
    received,
    Array.from({ length: 201 }, (_, index) => index + 1),
  );
});

test('a listener receives what comes between its subscription and its removal, also in the middle of a delivery', () => {
  const { breaker } = onStage();
  const received = [];
  const listener = (name) => (event) => received.push(`${name}${event.sequence}`);
  let stop;
  breaker.subscribe(({ sequence }) => {
    if (sequence === 1) {
      assert.equal(stop(), true);
      breaker.reset();
      breaker.subscribe(listener('late'));
    }
  });
  stop = breaker.subscribe(listener('gone'));
  breaker.forceOpen();
  assert.deepEqual(received, []);
  breaker.forceOpen();
  assert.deepEqual(received, ['late3']);
});

test('a rejection tells its own reason and wait, whatever the clock and the listeners do', async () => {
  let breaker;
  let other;
  const seen = [];
  const rejected = [];
  const reject = () => {
    try {
      breaker.acquire();
    } catch ({ reason, retryAfter }) {
      rejected.push([reason, retryAfter]);
    }
  };
  const clock = {
    now() {
      // Reads the clock of the other breaker, so that this one is not the last that was read.
      seen.push(other?.state);
      return 1000;
    },
  };
  other = new CircuitBreaker({ clock: new ManualClock() });
  breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 10, clock });
  breaker.subscribe(({ toState }) => toState === 'open' && reject());
  breaker.acquire().failure();
  breaker.forceOpen(20);
  reject();
  assert.deepEqual(rejected, [
    ['open', 10],
    ['forced_open', 20],
  ]);
  assert.deepEqual([...new Set(seen.filter(Boolean))], ['closed']);
});

test('a listener that throws harms no call, and one may call into the breaker that calls it', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const received = [];
  breaker.subscribe(() => {
    throw new Error('a listener of its own troubles');
  });
  breaker.subscribe(({ toState }) => {
    received.push(toState);
    if (toState === 'open') {
      breaker.reset();
    }
  });
  const mine = new Error('mine');
  const warnings = await warningsOf(() =>
    assert.rejects(
      breaker.call(() => Promise.reject(mine)),
      (error) => error === mine,
    ),
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /listener.*a listener of its own troubles/);
  assert.deepEqual([received, breaker.state], [['open', 'closed'], 'closed']);
});

test('a breaker whose own methods were replaced still notifies its listeners', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  const received = [];
  breaker.subscribe(({ toState }) => received.push(toState));
  breaker.events = () => {
    throw new Error('a stub');
  };
  const mine = new Error('mine');
  await assert.rejects(
    breaker.call(() => Promise.reject(mine)),
    (error) => error === mine,
  );
  assert.deepEqual(received, ['open']);
});

test('an event that found the stack full is delivered later', async () => {
  const { breaker } = onStage();
  const received = [];
  breaker.subscribe(({ sequence }) => received.push(sequence));
  let rounds = 0;
  const useUp = () => {
    try {
      useUp();
    } catch {
      // The stack is full. Each function that returns leaves a little more room for the next try.
    }
    if (rounds < 500) {
      rounds += 1;
      try {
        breaker.forceOpen();
        breaker.reset();
      } catch {
        // Still too little room.
      }
    }
  };
  // The listener itself may have been the one that had no room.
  await warningsOf(useUp);
  breaker.reset();
  breaker.forceOpen();
  const last = breaker.events().at(-1).sequence;
  assert.equal(received.at(-1), last);
});

test('a listener that throws later, as an async one does, is reported too', async () => {
  const { breaker } = onStage({ failureThreshold: 1 });
  breaker.subscribe(async () => {
    throw new Error('the webhook is down');
  });
  // Promises of other libraries, and objects that only look like promises.
  // biome-ignore lint/suspicious/noThenProperty: it is the point
  breaker.subscribe(() => ({ then: (_, refuse) => refuse(new Error('down as well')) }));
  breaker.subscribe(() => ({
    // biome-ignore lint/suspicious/noThenProperty: it is the point
    get then() {
      throw new Error('unreadable');
    },
  }));
  const warnings = await warningsOf(async () => {
    breaker.acquire().failure();
    await new Promise(setImmediate);
  });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /listener.*the webhook is down|listener.*unreadable/);
});

test('a hint makes the wait longer, and a bad one leaves the permit as it was', () => {
  const { breaker } = onStage({ failureThreshold: 1, timeoutSeconds: 10 });
  const permit = breaker.acquire();
  for (const hint of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', {}, 5n]) {
    assert.equal(
      refusal(() => permit.failure(hint)),
      'retryAfter',
    );
  }
  assert.equal(permit.failure(90), true);
  assert.equal(breaker.status().retryAfterSeconds, 90);
});

test('breakers that opened together do not probe together', () => {
  const waits = Array.from({ length: 10 }, () => opened({ timeoutJitter: 1 }).breaker.status().retryAfterSeconds);
  assert.ok(new Set(waits).size > 5, waits.join(', '));
});

test('it explains itself', () => {
  const { breaker } = opened();
  assert.equal(breaker.explain(), 'open after 1 failure in a row: in 10.0 s the next call is let through as a probe');
  breaker.forceOpen();
  assert.equal(breaker.explain(), 'forced open by an operator: it stays so until it is reset');
});

test('a field that a snapshot gives twice is refused', () => {
  const { breaker } = opened();
  const document = breaker.snapshot();
  const before = breaker.status();
  const twice = document.replace('"state":', '"state":"open","state":');
  assert.match(
    refusal(() => breaker.restore(twice)),
    /^snapshot/,
  );
  const inner = document.replace('"total_calls":', '"total_calls":5,"total_calls":');
  assert.match(
    refusal(() => breaker.restore(inner)),
    /^snapshot/,
  );
  assert.deepEqual(breaker.status(), before);
});
