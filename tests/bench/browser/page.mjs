/** What runs in the page: `rows` holds the readings of all rounds. */

import * as halfopen from '/halfopen/index.js';

import { cockatiel, ourBreakers, ours } from '../node/contenders.mjs';
import { measure, plain } from '../node/harness.mjs';
import { OUTCOMES, rowsOf } from '../node/paths.mjs';

/** The two steps of a call alone, without a promise: what streams use, and what the core and the border cost. */
async function acquireAndSettle() {
  const steps = {};
  for (const [name, breaker] of Object.entries(ourBreakers(halfopen, 'streak', false))) {
    steps[name] = () => breaker.acquire().success();
  }
  return await measure('acquire and settle', { ...steps, bare: () => 1 }, plain);
}

async function calls() {
  const contenders = (policy, fn, opens) => ({ ...ours(halfopen, policy, fn, opens), ...cockatiel(policy, fn, opens) });
  const rows = [];
  for (const outcome of OUTCOMES) {
    rows.push(...(await rowsOf('streak', outcome, contenders)));
  }
  return rows;
}

globalThis.measured = (async () => [...(await acquireAndSettle()), ...(await calls())])();
