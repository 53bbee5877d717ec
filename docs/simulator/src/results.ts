/** The results of the runs: the score, and the same as tables. */

import { copyButton } from './copy-dialog.js';
import { make } from './dom.js';
import type { Lab } from './lab.js';
import type { LogRun } from './log-run.js';
import { inForce, logTable } from './log-score.js';
import { type Column, scoreTable, seriesTable, transitionTable } from './score.js';

export class Results {
  readonly score: HTMLElement;
  readonly tables = make('details', { class: 'tables' }, make('summary', {}, 'The same as tables'));
  #lab: Lab | undefined;

  /** `role` is that of the score. */
  constructor(role: 'region' | 'group') {
    this.score = make('section', { class: 'card scores', role, 'aria-label': 'Score', tabindex: 0 });
    this.tables.addEventListener('toggle', () => this.#showTables());
  }

  show(lab: Lab): void {
    this.#lab = lab;
    const { runs, log } = lab;
    if (log === undefined) {
      this.score.replaceChildren(scoreTable(columnsOf(lab)));
    } else {
      const named = [
        { name: 'A', run: runs.a as LogRun },
        ...(runs.b === undefined ? [] : [{ name: 'B', run: runs.b as LogRun }]),
      ];
      this.score.replaceChildren(
        logTable(named),
        make('p', { class: 'soft in-force' }, inForce(log, runs.a as LogRun)),
      );
    }
    this.#showTables();
  }

  #showTables(): void {
    const lab = this.#lab;
    if (lab === undefined) {
      return;
    }
    const summary = this.tables.firstElementChild as HTMLElement;
    const names = lab.subject.scenario.providers.map(({ name }) => name);
    const columns = columnsOf(lab);
    const shown = this.tables.open ? [transitionTable(columns, names), seriesTable(columns)] : [];
    this.tables.replaceChildren(
      summary,
      make(
        'div',
        { class: 'row' },
        copyButton('Copy the reports as JSON', () => reportsOf(lab)),
      ),
      ...shown.map((table) =>
        make(
          'div',
          { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': table.caption?.textContent ?? '' },
          table,
        ),
      ),
    );
  }
}

function columnsOf({ runs: { none, a, b } }: Lab): Column[] {
  return [
    ...(none === undefined ? [] : [{ name: 'No breaker', report: none.report }]),
    { name: 'A', report: a.report },
    ...(b === undefined ? [] : [{ name: 'B', report: b.report }]),
  ];
}

/** The reports as Rust and Python give them. */
function reportsOf({ runs: { none, a, b } }: Lab): string {
  return JSON.stringify({ none: none?.report, a: a.report, b: b?.report });
}
