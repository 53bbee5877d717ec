/** Records an outage into the file of the first argument, and prints the causes of the transitions. */

import { setTimeout as sleep } from 'node:timers/promises';

import { CircuitBreaker } from 'halfopen';
import { Recorder } from 'halfopen/recording';

const recorder = new Recorder();
const breaker = new CircuitBreaker({
  name: 'gemini',
  failureThreshold: 3,
  successThreshold: 2,
  halfOpenMaxCalls: 2,
  timeoutSeconds: 0.05,
});
recorder.record(breaker);
let isDown = false;

async function answer() {
  await sleep(3);
  if (isDown) {
    throw new Error('the provider is down');
  }
}

async function client() {
  for (let call = 0; call < 100; call += 1) {
    isDown = call >= 20 && call < 60;
    await breaker.call(answer).catch(() => undefined);
    await sleep(1);
  }
}

await Promise.all(Array.from({ length: 4 }, client));
recorder.write(process.argv[2]);
const causes = breaker.events().map(({ cause }) => cause);
console.log(causes.join(' '));
if (!causes.includes('probes_succeeded') || breaker.status().rejectedCalls === 0) {
  throw new Error('there was no outage to record');
}
