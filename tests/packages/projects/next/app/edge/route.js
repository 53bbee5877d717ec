import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from '../../story.mjs';

/** The edge runtime forbids to compile WebAssembly. */
export const runtime = 'edge';

export const GET = async () => new Response(`${backend}: ${await story({ CircuitBreaker, CircuitBreakerOpenError })}`);
