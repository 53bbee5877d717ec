import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { story } from '../story.mjs';

/** What the server tells. */
export const told = async () => `${backend}: ${await story({ CircuitBreaker, CircuitBreakerOpenError })}`;
