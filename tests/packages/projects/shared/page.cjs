const { backend, CircuitBreaker, CircuitBreakerOpenError } = require('halfopen-wasm');

import('./story.mjs')
  .then(({ story }) => story({ CircuitBreaker, CircuitBreakerOpenError }))
  .then((told) => console.log(`${backend}: ${told}`));
