import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from './story.mjs';

story({ CircuitBreaker, CircuitBreakerOpenError }).then((told) => {
  const all = `${backend}: ${told}`;
  console.log(all);
  if (typeof document !== 'undefined') {
    document.title = all;
  }
});
