'use client';

import { backend, CircuitBreaker, CircuitBreakerOpenError } from 'halfopen-wasm';
import { useEffect, useState } from 'react';

import { story } from '../../story.mjs';

const breaker = new CircuitBreaker({ name: 'rendered' });

/** Rendered when the project is built, and run in the page. */
export default function Page() {
  const [printed, setTold] = useState('');
  useEffect(() => {
    story({ CircuitBreaker, CircuitBreakerOpenError }).then((printed) => setTold(`${backend}: ${printed}`));
  }, []);
  useEffect(() => {
    document.title = printed;
  }, [printed]);
  return <output>{breaker.state}</output>;
}
