/** Measures the memory of a breaker, with its JavaScript object, and writes it to the given file. */

import { writeFileSync } from 'node:fs';

import { CircuitBreaker } from 'halfopen';

const BREAKERS = 20_000;

/** Each breaker has made one successful and one failed call. */
const createBreakers = () =>
  Array.from({ length: BREAKERS }, () => {
    const breaker = new CircuitBreaker();
    breaker.acquire().success();
    breaker.acquire().failure();
    return breaker;
  });

const residentBytes = async () => {
  await new Promise(setImmediate);
  globalThis.gc();
  return process.memoryUsage().rss;
};

// The first breakers include the one-time allocations of the process.
const kept = [createBreakers()];
const before = await residentBytes();
kept.push(createBreakers());
const bytes = ((await residentBytes()) - before) / BREAKERS;
writeFileSync(process.argv[2], JSON.stringify({ breaker: 'streak only, in Node', bytes }));
