/** The outcomes to measure, and the guarded functions. */

import { awaited, measure } from './harness.mjs';

export const OUTCOMES = ['success', 'failure', 'rejection'];

const FIRST_CALLS = 300;
// One error for all calls: capturing a stack is not part of the breaker's overhead.
const FAILURE = new Error('the provider is down');
let calls = 0;

const succeed = async () => 1;

// One call in 50 succeeds to keep the circuit closed, because 100 failures in the last 100 calls reach every rate.
const fail = async () => {
  calls += 1;
  if (calls % 50 === 0) {
    return 1;
  }
  throw FAILURE;
};

/** Measures the contenders from `contenders(policy, fn, opens)`; checks their outcomes before and after. */
export async function rowsOf(policy, outcome, contenders) {
  const path = `${policy}, ${outcome}`;
  const fn = outcome === 'success' ? succeed : fail;
  const guarded = contenders(policy, fn, outcome === 'rejection');
  await checkOutcomes(path, outcome, guarded);
  const rows = await measure(path, outcome === 'rejection' ? guarded : { ...guarded, bare: fn }, awaited);
  await checkOutcomes(path, outcome, guarded);
  return rows;
}

/** Makes enough calls to reach the state of the path, and checks the last outcomes. */
async function checkOutcomes(path, outcome, guarded) {
  for (const [name, call] of Object.entries(guarded)) {
    const seen = await outcomesOf(call);
    // One of 50 calls succeeds on failure paths, so check the last two.
    if (!seen.slice(-2).includes(outcome)) {
      throw new Error(`${path}: ${name} ended with ${seen.slice(-2)}`);
    }
  }
}

async function outcomesOf(call) {
  const seen = [];
  for (let left = FIRST_CALLS; left > 0; left--) {
    const outcomeOf = (error) => {
      if (error instanceof TypeError || error instanceof ReferenceError) {
        // A bug in this file is not a rejection.
        throw error;
      }
      return error === FAILURE ? 'failure' : 'rejection';
    };
    seen.push(await call().then(() => 'success', outcomeOf));
  }
  return seen;
}
