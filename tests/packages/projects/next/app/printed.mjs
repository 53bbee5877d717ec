import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen';

import { story } from '../story.mjs';

/** The server's answer. */
export const printed = async () => `${backend}: ${await story({ CircuitBreaker, CircuitBreakerOpenError })}`;
