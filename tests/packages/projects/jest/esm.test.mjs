import { afterEach, expect, jest, test } from '@jest/globals';
import * as server from 'halfopen';
import * as page from 'halfopen-wasm';

import { story } from './story.mjs';

afterEach(() => jest.useRealTimers());

for (const [name, halfopen] of Object.entries({ halfopen: server, 'halfopen-wasm': page })) {
  test(`${name} guards calls`, async () => {
    expect(await story(halfopen)).toBe('answered, failed, CIRCUIT_OPEN provider');
  });

  test(`${name} follows fake timers`, async () => {
    jest.useFakeTimers();
    const breaker = new halfopen.CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 30 });
    await expect(breaker.call(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    jest.advanceTimersByTime(29_000);
    expect(breaker.state).toBe('open');
    jest.advanceTimersByTime(1000);
    expect(breaker.state).toBe('half_open');
  });

  test(`${name} can be mocked`, () => {
    const error = new halfopen.CircuitBreakerOpenError('provider', 'open');
    expect([error.circuitName, error.reason, error.retryAfter]).toEqual(['provider', 'open', null]);
    expect(error).toBeInstanceOf(halfopen.HalfopenError);
  });
}
