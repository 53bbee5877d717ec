/** With the option for stacks, the error of every kind of rejection shows the caller's frame. */

import assert from 'node:assert/strict';

const { CircuitBreaker, Registry } = await import(process.argv[2]);

async function rejections(breaker) {
  breaker.forceOpen();
  const wrapped = breaker.wrap(() => 'never made');
  const thrown = [];
  async function asksTheProvider() {
    await breaker.call(() => 'never made').catch((error) => thrown.push(error));
    await wrapped().catch((error) => thrown.push(error));
    try {
      breaker.acquire();
    } catch (error) {
      thrown.push(error);
    }
  }
  await asksTheProvider();
  assert.equal(thrown.length, 3);
  return thrown.map(({ stack }) => stack);
}

const limit = Error.stackTraceLimit;
for (const breaker of [
  new CircuitBreaker({ captureStack: true }),
  new Registry(10, { captureStack: true }).getOrCreate({ name: 'registered' }),
]) {
  for (const stack of await rejections(breaker)) {
    assert.match(stack, /asksTheProvider.*stacks\.mjs/);
  }
}
for (const stack of await rejections(new CircuitBreaker())) {
  assert.doesNotMatch(stack, /\n +at /);
}
assert.equal(Error.stackTraceLimit, limit);
console.log('right');
