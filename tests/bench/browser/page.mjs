/** The benchmark in the page; `measured` resolves to the rows with the readings of all rounds. */

import * as halfopen from '/halfopen/index.js';

import { cockatiel, ours } from '../node/contenders.mjs';
import { OUTCOMES, rowsOf } from '../node/paths.mjs';
import { permits } from '../node/permits.mjs';

async function calls() {
  const contenders = (policy, fn, opens) => ({ ...ours(halfopen, policy, fn, opens), ...cockatiel(policy, fn, opens) });
  const rows = [];
  for (const outcome of OUTCOMES) {
    rows.push(...(await rowsOf('streak', outcome, contenders)));
  }
  return rows;
}

globalThis.measured = (async () => [...(await permits(halfopen)), ...(await calls())])();
