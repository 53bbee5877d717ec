import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { story } from './story.mjs';

story({ CircuitBreaker, CircuitBreakerOpenError }).then((told) => console.log(`${backend}: ${told}`));
