import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from '../../story.mjs';

/** Nothing can be compiled there. */
export const runtime = 'edge';

export const GET = async () => new Response(`${backend}: ${await story({ CircuitBreaker, CircuitBreakerOpenError })}`);
