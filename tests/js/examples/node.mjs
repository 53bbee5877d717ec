import { CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

const breaker = new CircuitBreaker({ name: 'gemini', failureThreshold: 3, timeoutSeconds: 30 });

/** The provider's answer; while the provider is down, at once when to ask again. */
export async function ask(url, question) {
  try {
    return await breaker.call(async () => {
      const response = await fetch(url, { method: 'POST', body: question, signal: AbortSignal.timeout(5000) });
      if (response.status >= 500) {
        throw new Error(`the provider answered ${response.status}`);
      }
      return response.text();
    });
  } catch (error) {
    if (error instanceof CircuitBreakerOpenError) {
      return `ask again in ${Math.ceil(error.retryAfter ?? 60)} s`;
    }
    throw error;
  }
}
