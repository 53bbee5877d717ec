/** Every project makes one call that succeeds, one that fails and opens the circuit, and one that is rejected. */
export async function story({ CircuitBreaker, CircuitBreakerOpenError }) {
  const breaker = new CircuitBreaker({ name: 'provider', failureThreshold: 1, timeoutSeconds: 30 });
  const log = [await breaker.call(async () => 'answered')];
  await breaker.call(() => Promise.reject(new Error('failed'))).catch((error) => log.push(error.message));
  await breaker
    .call(async () => 'never made')
    .then(
      (answer) => log.push(answer),
      (error) => log.push(error instanceof CircuitBreakerOpenError ? `${error.code} ${error.circuitName}` : `${error}`),
    );
  return log.join(', ');
}
