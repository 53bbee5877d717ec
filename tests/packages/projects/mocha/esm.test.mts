import assert from 'node:assert/strict';
import * as server from 'halfopen';
import * as page from 'halfopen-wasm';
import { afterEach, describe, it } from 'mocha';
import sinon from 'sinon';

for (const [name, halfopen] of Object.entries({ halfopen: server, 'halfopen-wasm': page })) {
  describe(name, () => {
    afterEach(() => sinon.restore());

    it('follows fake timers', async () => {
      const clock = sinon.useFakeTimers();
      const breaker = new halfopen.CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 30 });
      await assert.rejects(
        breaker.call(() => Promise.reject(new Error('down'))),
        /down/,
      );
      clock.tick(29_000);
      assert.equal(breaker.state, 'open');
      clock.tick(1000);
      assert.equal(breaker.state, 'half_open');
    });

    it('lets its errors be made by a stub', () => {
      const stub = sinon.stub().throws(new halfopen.CircuitBreakerOpenError('provider', 'open'));
      assert.throws(stub, { code: 'CIRCUIT_OPEN', circuitName: 'provider', reason: 'open', retryAfter: null });
    });
  });
}
