const { backend, CircuitBreaker, CircuitBreakerOpenError } = require('halfopen');
const { Recorder } = require('halfopen/recording');

// It refuses a breaker of another copy of the package.
new Recorder(1).record(new CircuitBreaker());

import('./story.mjs')
  .then(({ story }) => story({ CircuitBreaker, CircuitBreakerOpenError }))
  .then((printed) => console.log(`${backend}: ${printed}`));
