import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from './story.mjs';

story({ CircuitBreaker, CircuitBreakerOpenError }).then((printed) => {
  const all = `${backend}: ${printed}`;
  console.log(all);
  if (typeof document !== 'undefined') {
    document.title = all;
  }
});
