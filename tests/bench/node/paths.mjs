/** What becomes of a call, and the functions that are guarded. */

import { awaited, measure } from './harness.mjs';

export const OUTCOMES = ['success', 'failure', 'rejection'];

const FIRST_CALLS = 300;
// Made once: the stack that an error captures is the guarded function's own affair.
const FAILURE = new Error('the provider is down');
let calls = 0;

const succeed = async () => 1;

// One call in 50 succeeds, because a breaker that is to stay closed cannot be shown failures alone: 100 of the last 100
// calls reach every rate.
const fail = async () => {
  calls += 1;
  if (calls % 50 === 0) {
    return 1;
  }
  throw FAILURE;
};

/** Measures those that `contenders(policy, fn, opens)` makes, which end as the path says before and after. */
export async function rowsOf(policy, outcome, contenders) {
  const path = `${policy}, ${outcome}`;
  const fn = outcome === 'success' ? succeed : fail;
  const guarded = contenders(policy, fn, outcome === 'rejection');
  await endAsTheyShould(path, outcome, guarded);
  const rows = await measure(path, outcome === 'rejection' ? guarded : { ...guarded, bare: fn }, awaited);
  await endAsTheyShould(path, outcome, guarded);
  return rows;
}

/** Makes as many calls as lead to where the path begins, and makes sure that it is there. */
async function endAsTheyShould(path, outcome, guarded) {
  for (const [name, call] of Object.entries(guarded)) {
    const seen = await endings(call);
    // One of 50 succeeds on the way of failures, so a single last one proves nothing.
    if (!seen.slice(-2).includes(outcome)) {
      throw new Error(`${path}: ${name} ended with ${seen.slice(-2)}`);
    }
  }
}

async function endings(call) {
  const seen = [];
  for (let left = FIRST_CALLS; left > 0; left--) {
    const ended = (error) => {
      if (error instanceof TypeError || error instanceof ReferenceError) {
        // A mistake in here is no rejection.
        throw error;
      }
      return error === FAILURE ? 'failure' : 'rejection';
    };
    seen.push(await call().then(() => 'success', ended));
  }
  return seen;
}
