import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from './story.mjs';

/** Made when the module starts, when workerd allows no compilation. */
const breaker = new CircuitBreaker({ name: 'worker' });

export default {
  async fetch() {
    const printed = await story({ CircuitBreaker, CircuitBreakerOpenError });
    return new Response(`${backend}: ${printed}; ${breaker.state}`);
  },
};
