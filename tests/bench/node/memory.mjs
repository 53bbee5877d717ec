/** What a breaker takes of this process's memory, as an object of JavaScript's with its circuit. Writes it to a file. */

import { writeFileSync } from 'node:fs';

import { CircuitBreaker } from 'halfopen';

const BREAKERS = 20_000;

/** Each has made its first calls: one that succeeded and one that failed. */
const made = () =>
  Array.from({ length: BREAKERS }, () => {
    const breaker = new CircuitBreaker();
    breaker.acquire().success();
    breaker.acquire().failure();
    return breaker;
  });

const settled = async () => {
  await new Promise(setImmediate);
  globalThis.gc();
  return process.memoryUsage().rss;
};

// The first ones take what every process has once.
const kept = [made()];
const before = await settled();
kept.push(made());
const bytes = ((await settled()) - before) / BREAKERS;
writeFileSync(process.argv[2], JSON.stringify({ breaker: 'streak only, in Node', bytes }));
