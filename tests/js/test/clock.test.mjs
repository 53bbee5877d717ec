import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CircuitBreaker, InvalidValueError, ManualClock } from 'halfopen';

import { printedBy } from '../own-process.mjs';
import { onStage, opened, warningsOf } from './stage.mjs';

test('performance, Date and a ManualClock are clocks', () => {
  for (const clock of [performance, Date, new ManualClock()]) {
    const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 3600, clock });
    breaker.acquire().failure();
    assert.ok(breaker.status().retryAfterSeconds <= 3600);
  }
});

test('without a clock time passes by itself', async () => {
  const breaker = new CircuitBreaker();
  const before = breaker.status().nowSeconds;
  while (breaker.status().nowSeconds === before) {
    await new Promise(setImmediate);
  }
  assert.ok(breaker.status().nowSeconds > before);
});

test('the wait is exact to the millisecond, also on a clock that counts from 1970', () => {
  for (const start of [0, 1_795_428_000_123, 18_000_000_000_001]) {
    const clock = new ManualClock();
    clock.set(start);
    const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 1, clock });
    breaker.acquire().failure();
    clock.advance(999);
    assert.throws(() => breaker.acquire(), { retryAfter: 0.001 });
    clock.advance(1);
    assert.equal(breaker.state, 'half_open');
    breaker.acquire().cancel();
  }
});

test('a manual clock refuses anything that is not a time', () => {
  const clock = new ManualClock();
  for (const junk of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, 5n, {}]) {
    assert.throws(() => clock.advance(junk), InvalidValueError);
    assert.throws(() => clock.set(junk), InvalidValueError);
  }
  assert.equal(clock.now(), 0);
});

const FAULTS = {
  throws: () => {
    throw new Error('no battery');
  },
  NaN: () => Number.NaN,
  infinite: () => Number.POSITIVE_INFINITY,
  negative: () => -1,
  nothing: () => undefined,
  text: () => '12',
  bigint: () => 12n,
  'nanoseconds of a year': () => 3e16,
  'a promise that fails': () => Promise.reject(new Error('async by mistake')),
  'a value that cannot be looked at': () => new Proxy({}, { getPrototypeOf: () => assert.fail('looked at') }),
};

for (const [name, fault] of Object.entries(FAULTS)) {
  test(`a clock with a fault harms no call, and is reported once: ${name}`, async () => {
    let now = () => 5000;
    let breaker;
    const warnings = await warningsOf(async () => {
      breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 10, clock: { now: () => now() } });
      now = fault;
      assert.equal(await breaker.call(() => 'fine'), 'fine');
      breaker.acquire().failure();
      assert.equal(breaker.state, 'open');
      assert.equal(breaker.status().nowSeconds, 5);
      await assert.rejects(
        breaker.call(() => 1),
        { retryAfter: 10 },
      );
    });
    assert.equal(warnings.length, 1, warnings.join('\n'));
    now = () => 14_999;
    assert.equal(breaker.state, 'open');
    now = () => 15_000;
    assert.equal(breaker.state, 'half_open');
  });
}

test('a clock may use the breaker, which takes the last time meanwhile', async () => {
  const asked = [];
  let breaker;
  const clock = {
    now: () => {
      // At most three times, because the call below reads the clock again when it ends.
      if (breaker && asked.length < 3) {
        asked.push(breaker.status().nowSeconds);
        breaker.call(() => 'from inside the clock');
        breaker.acquire().success();
      }
      return 1000 * asked.length;
    },
  };
  breaker = new CircuitBreaker({ clock });
  assert.equal(await breaker.call(() => 'outer'), 'outer');
  assert.deepEqual(asked, [0, 1, 2]);
  const { totalCalls, successfulCalls, inFlight } = breaker.status();
  assert.deepEqual([totalCalls, successfulCalls, inFlight], [7, 7, 0]);
});

test('the clock is read only where a rule needs it', async () => {
  let reads = 0;
  const clock = {
    now: () => {
      reads += 1;
      return 5000;
    },
  };
  const readsOf = async (config, work) => {
    const breaker = new CircuitBreaker({ ...config, clock });
    reads = 0;
    await work(breaker);
    return reads;
  };
  const succeed = async (breaker) => {
    await breaker.call(async () => 'fine');
    breaker.acquire().success();
  };
  const window = { failureThreshold: null, failureRateThreshold: 0.5 };
  assert.equal(await readsOf({ recordDurations: false }, succeed), 0);
  assert.equal(await readsOf({ recordDurations: false, ...window }, succeed), 0);
  assert.equal(await readsOf({ recordDurations: true }, succeed), 4);
  const fail = (breaker) => breaker.acquire().failure();
  assert.equal(await readsOf({ recordDurations: false }, fail), 1);
  const reject = async (breaker) => {
    breaker.forceOpen(10);
    reads = 0;
    await breaker.call(succeed).catch(() => undefined);
  };
  assert.equal(await readsOf({}, reject), 1);
});

test('a clock may settle the permit that is being settled', () => {
  let permit;
  const clock = {
    now() {
      permit?.success();
      return 1000;
    },
  };
  const breaker = new CircuitBreaker({ clock });
  permit = breaker.acquire();
  assert.equal(permit.success(), false);
  const { totalCalls, successfulCalls, inFlight } = breaker.status();
  assert.deepEqual([totalCalls, successfulCalls, inFlight], [1, 1, 0]);
});

test('at the end of the stack no permit is lost', () => {
  // At any depth at which the stack ends, a permit is either settled or can still be settled.
  const breaker = new CircuitBreaker({ clock: { now: () => 1000 } });
  const dive = (depth, work) => (depth === 0 ? work() : dive(depth - 1, work));
  const fits = (depth) => {
    try {
      return dive(depth, () => true);
    } catch {
      return false;
    }
  };
  let deepest = 1;
  while (fits(deepest * 2)) {
    deepest *= 2;
  }
  for (let step = deepest / 2; step >= 1; step /= 2) {
    deepest += fits(deepest + step) ? step : 0;
  }
  for (let depth = deepest - 60; depth <= deepest; depth += 1) {
    const permit = breaker.acquire();
    try {
      dive(depth, () => permit.success());
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
    permit.success();
    assert.equal(breaker.status().inFlight, 0, `${deepest - depth} from the end`);
  }
});

test('two breakers may share a clock that asks both', () => {
  const breakers = [];
  const clock = { now: () => breakers.reduce((sum, breaker) => sum + breaker.status().totalCalls, 0) };
  breakers.push(new CircuitBreaker({ clock }), new CircuitBreaker({ clock }));
  for (const breaker of breakers) {
    breaker.acquire().success();
  }
  assert.equal(breakers[0].status().nowSeconds, 0.002);
});

test('a clock that stops recursing only when the stack is full does no harm', async () => {
  const deep = () => deep() + 1;
  const warnings = await warningsOf(() => {
    const breaker = new CircuitBreaker({ clock: { now: deep } });
    breaker.acquire().success();
    assert.equal(breaker.status().successfulCalls, 1);
  });
  assert.equal(warnings.length, 1);
});

test('no time passes while a clock runs backwards', () => {
  const { breaker, clock } = opened();
  clock.advance(4000);
  assert.equal(breaker.status().retryAfterSeconds, 6);
  clock.set(0);
  assert.equal(breaker.status().retryAfterSeconds, 10);
  assert.equal(breaker.state, 'open');
});

test('moments are dates by their age, and the same moment is always the same date', () => {
  const { breaker, clock } = onStage({ failureThreshold: 1 });
  clock.advance(60_000);
  breaker.acquire().failure();
  clock.advance(60_000);
  const before = Date.now();
  const { lastFailureTime, lastStateChangeTime, lastSuccessTime } = breaker.status();
  const after = Date.now();
  assert.ok(lastFailureTime.getTime() >= before - 60_000 && lastFailureTime.getTime() <= after - 60_000);
  assert.deepEqual(lastStateChangeTime, lastFailureTime);
  assert.equal(lastSuccessTime, null);
  assert.deepEqual(breaker.events()[0].time, lastFailureTime);
  assert.deepEqual(breaker.status().lastFailureTime, lastFailureTime);
});

test('correcting the wall clock corrects every date, also those in the past', (t) => {
  const { breaker, clock } = opened();
  const wall = t.mock.method(Date, 'now', () => 1_800_000_000_000);
  clock.advance(5_000);
  assert.equal(breaker.status().lastFailureTime.getTime(), 1_799_999_995_000);
  wall.mock.mockImplementation(() => 1_700_000_000_000);
  assert.equal(breaker.status().lastFailureTime.getTime(), 1_699_999_995_000);
  assert.equal(breaker.events()[0].time.getTime(), 1_699_999_995_000);
  // Clocks that are read one after the other never agree to the millisecond.
  wall.mock.mockImplementation(() => 1_700_000_000_900);
  assert.equal(breaker.status().lastFailureTime.getTime(), 1_699_999_995_000);
  wall.mock.mockImplementation(() => 1_700_000_001_000);
  assert.equal(breaker.status().lastFailureTime.getTime(), 1_699_999_996_000);
});

test('the package for pages looks its clock up at each reading, as fake timers expect', async () => {
  const { CircuitBreaker: PageBreaker } = await import('halfopen-wasm');
  const own = globalThis.performance;
  const breaker = new PageBreaker({ failureThreshold: 1, timeoutSeconds: 10 });
  let now = own.now();
  Object.defineProperty(globalThis, 'performance', { value: { now: () => now }, configurable: true, writable: true });
  try {
    breaker.acquire().failure();
    now += 10_000;
    assert.equal(breaker.state, 'half_open');
    Object.defineProperty(globalThis, 'performance', { value: undefined, configurable: true, writable: true });
    assert.ok(breaker.status().nowSeconds > 1e9, 'without it, the time is that of the date');
  } finally {
    Object.defineProperty(globalThis, 'performance', { value: own, configurable: true, writable: true });
  }
});

test('in a page, a call ends by the clock that it began with, also if fake timers come or go meanwhile', async () => {
  const { CircuitBreaker: PageBreaker } = await import('halfopen-wasm');
  const own = globalThis.performance;
  const clocks = [5_000, 100_000, 0].map((now) => ({ at: now, now: () => now }));
  const replace = (value) =>
    Object.defineProperty(globalThis, 'performance', { value, configurable: true, writable: true });
  const ends = [
    (breaker, meanwhile) => breaker.call(meanwhile),
    (breaker, meanwhile) => breaker.call(async () => meanwhile()),
    (breaker, meanwhile) => {
      const permit = breaker.acquire();
      meanwhile();
      permit.success();
    },
    (breaker, meanwhile) => {
      const permit = breaker.acquire();
      meanwhile();
      permit.failure(1);
    },
  ];
  try {
    for (const [first, ...others] of [clocks, [...clocks].reverse()]) {
      for (const other of others) {
        for (const end of ends) {
          replace(first);
          const breaker = new PageBreaker();
          await end(breaker, () => replace(other));
          const { success, failure } = breaker.durations();
          assert.equal(success.count + failure.count, 1);
          assert.equal(success.totalSeconds + failure.totalSeconds, 0, `${first.at} to ${other.at}`);
          // The next call reads the present clock.
          assert.equal(breaker.status().nowSeconds, other.at / 1_000);
        }
      }
    }
  } finally {
    replace(own);
  }
});

for (const file of ['index.mjs', 'bundled.mjs']) {
  test(`the package for Node looks its clock up at each reading, as fake timers expect: ${file}`, () => {
    const script = `
      process.env.HALFOPEN_BACKEND = 'wasm';
      const { CircuitBreaker } = await import('../../bindings-node/dist/${file}');
      const breaker = new CircuitBreaker();
      const read = () => breaker.status().nowSeconds;
      const { hrtime } = process;
      process.hrtime = () => [77, 500_000_000];
      const faked = read();
      process.hrtime = hrtime;
      console.log(faked, read() === 77.5);
    `;
    assert.equal(printedBy(script), '77.5 false\n');
  });
}
