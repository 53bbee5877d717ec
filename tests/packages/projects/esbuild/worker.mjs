import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';

import { story } from './story.mjs';

/** Answers each message. A worker that adds its listener too late misses the first one. */
const listen = (port) => {
  port.onmessage = async ({ data }) => {
    const printed = await story({ CircuitBreaker, CircuitBreakerOpenError });
    (data.port ?? port).postMessage(`${backend}: ${printed}`);
  };
};

listen(self);
self.onconnect = ({ ports: [port] }) => listen(port);
