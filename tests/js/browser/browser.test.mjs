import assert from 'node:assert/strict';
import { test } from 'node:test';

import { example } from '../readme.mjs';
import { withPage } from './page.mjs';

/** Runs `work` in a page with the package; returns its result and the lines on the page's console. */
async function inPage(work) {
  return withPage(async ({ page, messages }) => {
    const module = await page.evaluateHandle(() => import('/halfopen/index.js'));
    return { result: await page.evaluate(work, module), messages };
  });
}

test('the example page tells when to try again', async () => {
  await withPage(async ({ page }) => {
    await page.setContent(example('html', 'bindings-wasm/README.md'));
    const output = page.locator('output');
    for (const text of ['the server answered 404', 'the server answered 404', 'try again in 30 s']) {
      await output.evaluate((element) => element.replaceChildren());
      await page.getByRole('button').click();
      await output.filter({ hasText: text }).waitFor();
    }
  });
});

test('the example in the README at the top runs as it stands there', async () => {
  await withPage(async ({ page, messages }) => {
    await page.setContent(example('html', 'README.md'));
    await page.waitForFunction(() => document.title === 'hello from WebAssembly');
    assert.deepEqual(messages, []);
  });
});

test('time is the time of the page, and passes by itself', async () => {
  const { result, messages } = await inPage(async ({ CircuitBreaker, backend }) => {
    const breaker = new CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 1e-6 });
    await breaker.call(() => Promise.reject(new Error('down'))).catch(() => undefined);
    while (breaker.state === 'open') {
      await new Promise((turn) => requestAnimationFrame(turn));
    }
    const { nowSeconds, lastFailureTime } = breaker.status();
    const drift = Math.abs(nowSeconds - performance.now() / 1000);
    return { backend, state: breaker.state, drift, age: Date.now() - lastFailureTime };
  });
  assert.deepEqual([result.backend, result.state, messages], ['wasm', 'half_open', []]);
  assert.ok(result.drift < 5 && Math.abs(result.age) < 5000, JSON.stringify(result));
});

test('ten thousand overlapping calls lose no count', async () => {
  const { result } = await inPage(async ({ CircuitBreaker }) => {
    const breaker = new CircuitBreaker({ failureThreshold: 65_535 });
    const call = (n) => breaker.call(async () => (n % 2 ? n : Promise.reject(new Error('bad'))));
    await Promise.allSettled(Array.from({ length: 10_000 }, (_, n) => call(n)));
    const { totalCalls, successfulCalls, failedCalls, inFlight } = breaker.status();
    return [totalCalls, successfulCalls, failedCalls, inFlight];
  });
  assert.deepEqual(result, [10_000, 5000, 5000, 0]);
});

test('a clock with a fault is reported on the console, once', async () => {
  const { result, messages } = await inPage(async ({ CircuitBreaker }) => {
    const clock = {
      now: () => {
        throw new Error('no battery');
      },
    };
    const breaker = new CircuitBreaker({ clock });
    return [await breaker.call(() => 'fine'), await breaker.call(() => 'fine')];
  });
  assert.deepEqual(result, ['fine', 'fine']);
  assert.equal(messages.length, 1);
  assert.match(messages[0], /HalfopenWarning.*no battery/);
});

test('errors of a page: fields, names and copies', async () => {
  const { result } = await inPage(async ({ CircuitBreaker, InvalidValueError }) => {
    const open = new CircuitBreaker();
    open.forceOpen();
    const rejection = await open.call(() => 1).catch((error) => error);
    let refusal;
    try {
      new CircuitBreaker({ timeoutSeconds: 'long' });
    } catch (error) {
      refusal = error;
    }
    return {
      rejection: structuredClone(rejection.toJSON()),
      copied: structuredClone(rejection).message,
      refused: refusal instanceof InvalidValueError && [refusal.name, refusal.field, refusal.value],
    };
  });
  const message = "circuit 'default' is OPEN (forced_open): held open until it is reset";
  assert.deepEqual(result, {
    rejection: {
      name: 'CircuitBreakerOpenError',
      message,
      code: 'CIRCUIT_OPEN',
      circuitName: 'default',
      reason: 'forced_open',
      retryAfter: null,
    },
    copied: message,
    refused: ['InvalidValueError', 'timeoutSeconds', '"long"'],
  });
});

test('an aborted fetch is neutral', async () => {
  const { result } = await inPage(async ({ CircuitBreaker }) => {
    const breaker = new CircuitBreaker();
    const controller = new AbortController();
    const call = breaker.call(() => fetch('/tests/browser/empty.html', { signal: controller.signal }));
    controller.abort();
    const name = await call.catch((error) => error.name);
    return [name, breaker.status().cancelledCalls];
  });
  assert.deepEqual(result, ['AbortError', 1]);
});
