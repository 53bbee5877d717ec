const { backend, CircuitBreaker, CircuitBreakerOpenError } = require('halfopen');

import('./story.mjs')
  .then(({ story }) => story({ CircuitBreaker, CircuitBreakerOpenError }))
  .then((printed) => console.log(`${backend}: ${printed}`));
