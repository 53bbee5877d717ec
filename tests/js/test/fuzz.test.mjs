import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CircuitBreaker, HalfopenError, ManualClock } from 'halfopen';

import { generator } from '../random.mjs';
import { addsUp } from './stage.mjs';

const throws = () => {
  throw new Error('junk');
};
const JUNK = [
  undefined,
  null,
  true,
  0,
  -1,
  1,
  2.5,
  1e-9,
  3600,
  1e18,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'text',
  '\ud800',
  'x'.repeat(2000),
  5n,
  Symbol('junk'),
  [],
  {},
  () => 1,
  throws,
  async () => 1,
  Object.create(null),
  new Proxy({}, { get: throws, ownKeys: throws, getPrototypeOf: throws }),
  { valueOf: throws, toString: throws, [Symbol.toPrimitive]: throws },
  Object.defineProperty({}, 'name', { enumerable: true, get: throws }),
  new Error('own'),
  Promise.resolve(1),
];
const FIELDS = [
  'name',
  'failureThreshold',
  'successThreshold',
  'timeoutSeconds',
  'halfOpenMaxCalls',
  'probeTimeoutSeconds',
  'clock',
  'classify',
  'bogus',
  '__proto__',
];
const OURS = new Set();

/**
 * Passes random values to the API: it throws only errors of this package, or those that the values themselves throw.
 */
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HalfopenError || OURS.has(error) || error?.message === 'junk')) {
      throw error;
    }
    return undefined;
  }
}

for (const seed of [1, 2, 3]) {
  test(`no argument breaks the API: seed ${seed}`, async () => {
    const below = generator(seed);
    const junk = () => JUNK[below(JUNK.length)];
    const object = () => {
      const fields = Array.from({ length: below(4) }, () => [FIELDS[below(FIELDS.length)], junk()]);
      return below(4) ? Object.fromEntries(fields) : junk();
    };
    const clock = new ManualClock();
    let breaker = new CircuitBreaker({ failureThreshold: 3, timeoutSeconds: 1, clock });
    let permits = [];
    const withClock = (options) => (typeof options === 'object' && options !== null ? { ...options, clock } : options);
    const fail = () => {
      const own = new Error('own');
      OURS.add(own);
      throw own;
    };
    const operations = [
      async () => {
        const made = await attempt(() => new CircuitBreaker(below(2) ? withClock(object()) : object()));
        if (made && below(8) === 0) {
          [breaker, permits] = [made, []];
        }
      },
      () => breaker.call(junk(), object()),
      () => breaker.call(() => junk(), { signal: junk(), inside: junk() }),
      () => permits.push(breaker.acquire({ inside: permits[below(permits.length + 1)] })),
      () => breaker.call(fail),
      () => breaker.call(() => junk()),
      () => breaker.wrap(junk())(junk()),
      () => permits.push(breaker.acquire()),
      () => permits[below(permits.length + 1)]?.[['success', 'failure', 'ignore', 'cancel'][below(4)]](junk()),
      () => permits[below(permits.length + 1)]?.[Symbol.dispose](),
      () => breaker.forceOpen(junk()),
      () => (below(4) ? breaker.reset(junk()) : breaker.disable(junk())),
      () => breaker.events(junk()),
      () => JSON.stringify([breaker.state, breaker.mode, breaker.config, breaker.durations()]),
      () => clock.advance(below(2) ? below(3000) : junk()),
      () => clock.set(junk()),
    ];
    for (let round = 0; round < 4000; round += 1) {
      await attempt(operations[below(operations.length)]);
      const status = breaker.status();
      assert.ok(addsUp(status), JSON.stringify(status));
      assert.ok(Object.values(status).every((value) => typeof value !== 'number' || value >= 0));
    }
    for (const permit of permits) {
      permit.cancel();
    }
    const status = breaker.status();
    assert.equal(status.inFlight, 0, JSON.stringify(status));
  });
}
