import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { CircuitBreaker, ManualClock } from 'halfopen';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

const window = { failureThreshold: null, failureRateThreshold: 1, minimumCalls: 100 };
const policies = { streak: { failureThreshold: 65_535 }, window, untimed: { ...window, recordDurations: false } };

async function collected() {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate);
    gc();
  }
}

for (const [policy, config] of Object.entries(policies)) {
  test(`permits that are held when the stack is used up come back: ${policy}`, async () => {
    const breaker = new CircuitBreaker(config, { clock: new ManualClock() });
    const deeper = () => {
      const permit = breaker.acquire();
      try {
        deeper();
      } finally {
        permit.success();
      }
    };
    for (let round = 0; round < 5; round += 1) {
      assert.throws(deeper, RangeError);
      await collected();
      const { inFlight, totalCalls, successfulCalls, cancelledCalls } = breaker.status();
      assert.equal(inFlight, 0);
      assert.equal(totalCalls, successfulCalls + cancelledCalls);
    }
    assert.equal(await breaker.call(() => 'well'), 'well');
  });
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
