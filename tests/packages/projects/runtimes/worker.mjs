import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from './story.mjs';

/** Made where a host lets nothing be compiled, at the start. */
const breaker = new CircuitBreaker({ name: 'worker' });

export default {
  async fetch() {
    const printed = await story({ CircuitBreaker, CircuitBreakerOpenError });
    return new Response(`${backend}: ${printed}; ${breaker.state}`);
  },
};
