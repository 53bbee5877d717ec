/** Somebody's library has written to `Object.prototype`: no option is read from there. */

import assert from 'node:assert/strict';

const [, , published, backend = ''] = process.argv;
process.env.HALFOPEN_BACKEND = backend;
const { CircuitBreaker, Registry } = await import(published);

const POLLUTION = {
  name: 'polluted',
  failureThreshold: 1,
  timeoutSeconds: 1e-9,
  classify: () => 'ignored',
  clock: { now: () => assert.fail('the clock of nobody') },
  captureStack: true,
  share: 'threads',
  signal: AbortSignal.abort(),
  inside: {},
  window: { seconds: 1 },
  seconds: 1,
};
for (const [name, value] of Object.entries(POLLUTION)) {
  Object.prototype[name] = value;
}

const registry = new Registry(10);
const breakers = [
  new CircuitBreaker(),
  new CircuitBreaker({}),
  new CircuitBreaker({ window: { calls: 10 }, failureRateThreshold: 0.5 }),
  registry.getOrCreate({}),
];
for (const breaker of breakers) {
  await assert.rejects(
    breaker.call(() => Promise.reject(new Error('down')), {}),
    /down/,
  );
  const { name, state, failedCalls } = breaker.status();
  assert.deepEqual([name, state, failedCalls], ['default', 'closed', 1]);
  breaker.forceOpen();
  const rejection = await breaker.call(() => 'never made').catch((error) => error);
  assert.doesNotMatch(rejection.stack, /\n +at /);
}
// Node's own streams read options from there, so this comes before any output.
for (const name of Object.keys(POLLUTION)) {
  delete Object.prototype[name];
}
console.log('right');
