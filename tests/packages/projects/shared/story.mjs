/** What every project does: one call that succeeds, one that fails and opens the circuit, and one that is rejected. */
export async function story({ CircuitBreaker, CircuitBreakerOpenError }) {
  const breaker = new CircuitBreaker({ name: 'provider', failureThreshold: 1, timeoutSeconds: 30 });
  const told = [await breaker.call(async () => 'answered')];
  await breaker.call(() => Promise.reject(new Error('failed'))).catch((error) => told.push(error.message));
  await breaker
    .call(async () => 'never made')
    .then(
      (answer) => told.push(answer),
      (error) =>
        told.push(error instanceof CircuitBreakerOpenError ? `${error.code} ${error.circuitName}` : `${error}`),
    );
  return told.join(', ');
}
