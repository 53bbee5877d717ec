/** Counts one client's calls with a default breaker: `node cancel.mjs CLIENT` prints the counts as JSON. */

import { CircuitBreaker } from 'halfopen';

import { start } from './provider.mjs';

const client = await import(`./clients/${process.argv[2]}.mjs`);
const { request, requestWithin, provider = start, ways = ['silent', 'stalled'], tellsStalled = true } = client;
const withSignal = (signal) => ({ signal });
const { origin, requests, stop } = await provider();
const counts = {};

/** Records what the breaker has counted; with `--errors` also the error, to find out why it was misjudged. */
function count(what, breaker, error) {
  const { cancelledCalls: cancelled, failedCalls: failed, state } = breaker.status();
  counts[what] = { cancelled, failed, state };
  if (process.argv.includes('--errors')) {
    counts[what].error = { type: error?.constructor?.name, name: error?.name, code: error?.code, message: `${error}` };
  }
}

/** Five users, who press Stop when the provider has their requests; `options` are those of `call`. */
async function stopped(what, way, reason, options) {
  const breaker = new CircuitBreaker({ name: what });
  const arrived = requests(5);
  const users = Array.from({ length: 5 }, () => new AbortController());
  const calls = users.map(({ signal }) => breaker.call(() => request(`${origin}/${way}`, signal), options?.(signal)));
  const settled = Promise.allSettled(calls);
  await arrived;
  // A turn later the client has the headers of the answer, if there is one.
  await new Promise((turn) => setTimeout(turn, 50));
  for (const user of users) {
    user.abort(reason);
  }
  count(what, breaker, (await settled)[0].reason);
}

async function failed(what, call, options) {
  const breaker = new CircuitBreaker({ name: what, failureThreshold: 1 });
  count(what, breaker, await breaker.call(call, options).catch((error) => error));
}

for (const way of ways) {
  await stopped(`stopped while ${way}`, way, undefined, way === 'stalled' && !tellsStalled ? withSignal : undefined);
  await stopped(`stopped for a reason while ${way}`, way, new Error('left the page'), withSignal);
}
if (requestWithin) {
  await failed('timeout of the client', () => requestWithin(`${origin}/silent`, 100));
}
const late = AbortSignal.timeout(100);
await failed('timeout by a signal', () => request(`${origin}/silent`, late), { signal: late });
const either = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(100)]);
await failed('timeout by one of two signals', () => request(`${origin}/silent`, either), { signal: either });
await failed('hung up', () => request(`${origin}/broken`, new AbortController().signal));
stop();
console.log(JSON.stringify(counts));
process.exit();
