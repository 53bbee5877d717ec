import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';
import { Recorder } from 'halfopen/recording';

import { story } from './story.mjs';

// It refuses a breaker of another copy of the package.
new Recorder(1).record(new CircuitBreaker());

story({ CircuitBreaker, CircuitBreakerOpenError }).then((printed) => console.log(`${backend}: ${printed}`));
