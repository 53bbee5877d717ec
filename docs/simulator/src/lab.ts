/** A scenario or a log with its runs: without a breaker, with A, with B. */

import { type ConfigDocument, World } from './engine.js';
import type { View } from './link.js';
import { type DroppedLog, LogRun } from './log-run.js';
import type { Played } from './played.js';
import { Run } from './run.js';
import { checkSubject } from './scenario-panel.js';
import type { Case } from './scenarios.js';

/** A run on the stage. */
export interface Shown {
  name: 'A' | 'B';
  /** Its name in sentences: empty if A is the only run. */
  label: string;
  run: Played;
}

export class Lab {
  subject: Case;
  view: View;
  log: DroppedLog | undefined;
  runs: { none: Run | undefined; a: Played; b: Played | undefined };
  readonly #world: World | undefined;

  /** Runs the subject; throws a refusal of the core. */
  constructor(subject: Case, view: View, log?: DroppedLog) {
    if (log === undefined) {
      checkSubject(subject);
    }
    this.subject = subject;
    this.log = log;
    this.view = subject.b === null ? 'a' : view;
    this.#world = log === undefined ? worldOf(subject) : undefined;
    this.runs = {
      none: this.#world && (this.#run(null) as Run),
      a: this.#run(subject.a),
      b: subject.b === null ? undefined : this.#run(subject.b),
    };
  }

  /** Replaces a configuration, which was checked. */
  configure(name: 'a' | 'b', config: ConfigDocument | null): void {
    const run = config === null ? undefined : this.#run(config);
    this.runs[name]?.free();
    this.subject = { ...this.subject, [name]: config };
    this.runs = { ...this.runs, [name]: run };
    if (config === null) {
      this.view = 'a';
    }
  }

  /** The runs that are on the stage. */
  shown(): Shown[] {
    const { a, b } = this.runs;
    const shown = [
      ...(this.view === 'b' ? [] : [{ name: 'A' as const, run: a }]),
      ...(this.view === 'a' || b === undefined ? [] : [{ name: 'B' as const, run: b }]),
    ];
    return shown.map((each) => ({ ...each, label: shown.length > 1 || each.name === 'B' ? each.name : '' }));
  }

  free(): void {
    this.runs.none?.free();
    this.runs.a.free();
    this.runs.b?.free();
    this.#world?.free();
  }

  #run(config: ConfigDocument | null): Played {
    if (this.log !== undefined) {
      return new LogRun(this.log, config ?? {});
    }
    return new Run(this.#world as World, config, this.subject.scenario.providers.length);
  }
}

function worldOf({ scenario, failover, count_rate_limits }: Case): World {
  return World.read(JSON.stringify(scenario), failover ?? undefined, count_rate_limits);
}
