/** The sweep: one configuration after the other, beside the page. */

import { initSync, Log, World } from '../pkg/halfopen_sim_wasm.js';

/** The measures that a sweep can rank by; less is better. */
export type Objective = 'failed_requests' | 'wasted_calls' | 'refused_in_vain' | 'both';

export interface SweepRequest {
  module: WebAssembly.Module;
  /** A scenario as JSON with the clients' way of calling, or the text of a log. */
  subject: { scenario: string; failover: string | null; countRateLimits: boolean } | { log: string };
  /** The rows of the map, each a list of configurations as JSON. */
  rows: string[][];
  objective: Objective;
}

/** A row of the map: `null` where the core refuses the configuration. */
export interface SweepRow {
  row: number;
  values: (number | null)[];
}

self.addEventListener('message', ({ data }: MessageEvent<SweepRequest>) => {
  initSync({ module: data.module });
  const measure =
    'log' in data.subject ? ofLog(data.subject.log, data.objective) : ofScenario(data.subject, data.objective);
  data.rows.forEach((configs, row) => {
    const values = configs.map((config) => {
      try {
        return measure(config);
      } catch {
        return null;
      }
    });
    self.postMessage({ row, values } satisfies SweepRow);
  });
});

function ofScenario(
  { scenario, failover, countRateLimits }: { scenario: string; failover: string | null; countRateLimits: boolean },
  objective: Objective,
) {
  const world = World.read(scenario, failover ?? undefined, countRateLimits);
  return (config: string): number => {
    const score = JSON.parse(world.score(config));
    return objective === 'both' ? score.wasted_calls + score.refused_in_vain : score[objective];
  };
}

function ofLog(text: string, objective: Objective) {
  const log = Log.read(text);
  const failures = (JSON.parse(log.records) as { outcome: string }[]).filter(
    ({ outcome }) => outcome === 'failure',
  ).length;
  return (config: string): number => {
    const { spared_failures, refused_in_vain } = JSON.parse(log.start(config, false).finish());
    const wasted = failures - spared_failures;
    return {
      failed_requests: wasted + refused_in_vain,
      wasted_calls: wasted,
      refused_in_vain,
      both: wasted + refused_in_vain,
    }[objective];
  };
}
