/** How fast the page's module simulates. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { documentOf, reading, simulator } from './stage.mjs';

/** Runs in the page: simulated calls in a second, by scenario, each repeated for this time. */
const measure = async ([source, module, cases, milliseconds]) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const { initSync, World } = await import(url);
  initSync({ module: Uint8Array.from(atob(module), (letter) => letter.charCodeAt(0)) });
  return Object.fromEntries(
    cases.map(({ id, scenario, a, failover, count_rate_limits }) => {
      const world = World.read(JSON.stringify(scenario), failover ?? undefined, count_rate_limits);
      const config = JSON.stringify(a);
      const begin = performance.now();
      let calls = 0;
      while (performance.now() - begin < milliseconds) {
        const { requests, score } = JSON.parse(world.report(config));
        calls += requests * score.calls_per_request;
      }
      return [id, (1000 * calls) / (performance.now() - begin)];
    }),
  );
};

/** Simulated calls in a second, with the configuration A of the first scenarios of the page. */
export async function callsPerSecond(milliseconds, scenarios = Number.POSITIVE_INFINITY) {
  const source = readFileSync(join(simulator, 'pkg/halfopen_sim_wasm.js'), 'utf8');
  const module = readFileSync(join(simulator, 'pkg/halfopen_sim_wasm_bg.wasm')).toString('base64');
  const cases = documentOf('scenarios.json').slice(0, scenarios);
  let rates = {};
  await reading(
    async (_, page) => {
      rates = await page.evaluate(measure, [source, module, cases, milliseconds]);
    },
    { motion: 'reduce' },
  );
  return rates;
}
