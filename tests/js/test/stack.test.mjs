import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';

import { CircuitBreaker, ManualClock } from 'halfopen';

import { collected } from '../garbage.mjs';

// Interpreted frames are the largest, so the stack ends in more places.
setFlagsFromString('--no-opt');

const window = { failureThreshold: null, failureRateThreshold: 1, minimumCalls: 100 };
const policies = { streak: { failureThreshold: 65_535 }, window, untimed: { ...window, recordDurations: false } };

/** Uses up the stack from this many places further down. */
function from(places, deeper) {
  const start = (..._arguments) => deeper();
  start(...Array.from({ length: places }, () => 0));
}

/** Ways to use up the stack with calls in flight. */
const ways = {
  held: (breaker) =>
    function deeper() {
      const permit = breaker.acquire();
      try {
        deeper();
      } finally {
        permit.success();
      }
    },
  'made one in the other': (breaker) =>
    function deeper() {
      breaker.call(deeper).catch((error) => assert.ok(error instanceof RangeError, String(error)));
    },
};

for (const [way, deeperOf] of Object.entries(ways)) {
  for (const [policy, config] of Object.entries(policies)) {
    test(`calls that are ${way} when the stack is used up come back: ${policy}`, async () => {
      const breaker = new CircuitBreaker({ ...config, clock: new ManualClock() });
      const deeper = deeperOf(breaker);
      // As many as the frame of one level has.
      for (let places = 0; places < 30; places += 1) {
        try {
          from(places, deeper);
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
        }
        await collected();
        const { inFlight, totalCalls, successfulCalls, failedCalls, cancelledCalls } = breaker.status();
        assert.equal(inFlight, 0);
        assert.equal(totalCalls, successfulCalls + failedCalls + cancelledCalls);
        breaker.reset();
      }
      assert.equal(await breaker.call(() => 'well'), 'well');
    });
  }
}

test('a stack that is used up again and again in one circuit harms no other', async () => {
  const other = new CircuitBreaker();
  for (let round = 0; round < 40; round += 1) {
    const breaker = new CircuitBreaker();
    let uses = 0;
    const deeper = () => {
      try {
        deeper();
      } catch {
        // On the way back there is a little more of the stack in each function.
      }
      if (uses < 900) {
        uses += 1;
        try {
          breaker.acquire().success();
          breaker.status();
        } catch {
          // Not enough yet.
        }
      }
    };
    deeper();
    assert.equal(await other.call(async () => 'answer'), 'answer');
  }
});
