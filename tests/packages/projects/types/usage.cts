import halfopen = require('halfopen');
import page = require('halfopen-wasm');

const breaker: halfopen.CircuitBreaker = new halfopen.CircuitBreaker({ name: 'provider' });
const state: page.State = new page.CircuitBreaker({ name: 'page' }).state;

// @ts-expect-error a misspelt field
const refused: halfopen.CircuitBreakerConfig = { failureTreshold: 3 };

// An error has the same class, whether the package was imported or required.
import('halfopen').then((imported) => {
  const same: typeof halfopen.CircuitBreakerOpenError = imported.CircuitBreakerOpenError;
  console.log(refused.name ?? same === halfopen.CircuitBreakerOpenError, breaker.state, state);
});
