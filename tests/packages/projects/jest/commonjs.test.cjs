const { afterEach, expect, jest: timers, test } = require('@jest/globals');
const server = require('halfopen');
const page = require('halfopen-wasm');

afterEach(() => timers.useRealTimers());

for (const [name, halfopen] of Object.entries({ halfopen: server, 'halfopen-wasm': page })) {
  test(`${name} guards calls`, async () => {
    const breaker = new halfopen.CircuitBreaker({ failureThreshold: 1 });
    expect(await breaker.call(async () => 'answered')).toBe('answered');
    await expect(breaker.call(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await expect(breaker.call(() => 'never made')).rejects.toThrow(halfopen.CircuitBreakerOpenError);
  });

  test(`${name} follows fake timers`, async () => {
    timers.useFakeTimers();
    const breaker = new halfopen.CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 30 });
    await expect(breaker.call(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    timers.advanceTimersByTime(29_000);
    expect(breaker.state).toBe('open');
    timers.advanceTimersByTime(1000);
    expect(breaker.state).toBe('half_open');
  });

  test(`${name} can be mocked`, () => {
    const error = new halfopen.CircuitBreakerOpenError('provider', 'open');
    expect([error.circuitName, error.reason, error.retryAfter]).toEqual(['provider', 'open', null]);
    expect(error).toBeInstanceOf(halfopen.HalfopenError);
  });
}
