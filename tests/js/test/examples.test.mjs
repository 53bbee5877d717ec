import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { printedBy } from '../own-process.mjs';
import { importExample } from '../readme.mjs';

test('the example asks while the provider is well, and spares it while it is down', async () => {
  const { ask } = await importExample('bindings-node/README.md');
  let requests = 0;
  let status = 200;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(status).end('42');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  try {
    assert.equal(await ask(url, 'six by nine'), '42');
    status = 503;
    for (let n = 0; n < 3; n += 1) {
      await assert.rejects(ask(url, 'again'), /503/);
    }
    assert.equal(await ask(url, 'and again'), 'ask again in 30 s');
    assert.equal(requests, 4);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a breaker keeps no process alive', () => {
  // Open, with a wait, a listener and a permit that nobody settles: the script still ends.
  const script = `
    import { CircuitBreaker } from 'halfopen';
    const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 3600 });
    breaker.subscribe(() => undefined);
    globalThis.kept = breaker.acquire();
    breaker.acquire().failure();
    console.log(breaker.state);
  `;
  assert.equal(printedBy(script), 'open\n');
});

test('calls leave no timer and no listener behind', async () => {
  const { signal } = new AbortController();
  const held = () => [
    process.getActiveResourcesInfo().sort(),
    process.eventNames().map((event) => process.listenerCount(event)),
    getEventListeners(signal, 'abort').length,
  ];
  const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 3600 });
  breaker.subscribe(() => undefined);
  const waitFor = async () => signal.throwIfAborted();
  await breaker.call(waitFor);
  const before = held();
  for (let round = 0; round < 100; round += 1) {
    await breaker.call(waitFor);
    await assert.rejects(
      breaker.call(() => Promise.reject(new Error('down'))),
      /down/,
    );
    await assert.rejects(breaker.call(waitFor), CircuitBreakerOpenError);
    breaker.reset();
  }
  assert.deepEqual(held(), before);
});

test('tens of thousands of breakers are made while V8 optimises and gives up its optimisation', () => {
  // Node 20 and 22 end the process where V8 has inlined a call into WebAssembly that returns a JavaScript value, and has
  // to give up the optimised code while that call is in flight.
  const script = `
    import { CircuitBreaker } from 'halfopen';
    for (let n = 0; n < 20_000; n += 1) new CircuitBreaker({ name: 'circuit ' + n, failureThreshold: 3 });
    console.log('alive');
  `;
  assert.equal(printedBy(script), 'alive\n');
});
