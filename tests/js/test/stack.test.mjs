import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';

import { CircuitBreaker, ManualClock } from 'halfopen';

import { collected } from '../garbage.mjs';

// Interpreted frames are the largest, so the stack ends in more places.
setFlagsFromString('--no-opt');

const window = { failureThreshold: null, failureRateThreshold: 1, minimumCalls: 100 };
const policies = { streak: { failureThreshold: 65_535 }, window, untimed: { ...window, recordDurations: false } };

/** Calls `deeper` with a frame of this many values more below it, so that the stack ends at another point. */
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
      // More values than a frame of `deeper` has, so the stack ends at each point of it.
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
        // The stack is full. Each function that returns leaves a little more room for the next try.
      }
      if (uses < 900) {
        uses += 1;
        try {
          breaker.acquire().success();
          breaker.status();
        } catch {
          // Still too little room.
        }
      }
    };
    deeper();
    assert.equal(await other.call(async () => 'answer'), 'answer');
  }
});
