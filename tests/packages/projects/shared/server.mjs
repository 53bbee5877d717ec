import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { story } from './story.mjs';

story({ CircuitBreaker, CircuitBreakerOpenError }).then((printed) => console.log(`${backend}: ${printed}`));
