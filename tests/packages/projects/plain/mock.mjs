/** A mock in a user's tests can construct the error of a rejection. */

import assert from 'node:assert/strict';

const { CircuitBreakerOpenError, HalfopenError } = await import(process.argv[2]);

for (const error of [new CircuitBreakerOpenError('x', 'open'), new CircuitBreakerOpenError('x')]) {
  assert.ok(error instanceof HalfopenError && error instanceof Error);
  assert.deepEqual(
    [error.code, error.circuitName, error.reason, error.retryAfter],
    ['CIRCUIT_OPEN', 'x', 'open', null],
  );
  assert.match(error.message, /x/);
}
assert.equal(new CircuitBreakerOpenError('x', 'probes_busy', 2.5).retryAfter, 2.5);
console.log('right');
