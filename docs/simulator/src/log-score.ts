/** The differences that the configurations would have made to a log. */

import { clock, count, duration, make } from './dom.js';
import type { Replayed } from './engine.js';
import type { DroppedLog, LogRun } from './log-run.js';

const ROWS: [string, string, (result: Replayed) => string][] = [
  ['Calls made again', 'Calls that were made and would be made again', ({ admitted }) => count(admitted)],
  [
    'Failures spared',
    'Calls that were made, failed, and would have been rejected',
    ({ spared_failures }) => count(spared_failures),
  ],
  [
    'Time that they took',
    'The seconds that the spared failures took',
    ({ spared_seconds }) => duration(spared_seconds),
  ],
  [
    'Refused in vain',
    'Calls that were made, did not fail, and would have been rejected',
    ({ refused_in_vain }) => count(refused_in_vain),
  ],
  ['Rejected again', 'Rejected calls that would be rejected again', ({ still_rejected }) => count(still_rejected)],
  [
    'Unknown',
    'Rejected calls that would be made: nobody knows how they would have ended',
    ({ unknown }) => count(unknown),
  ],
  ['Changes of state', '', ({ transitions }) => count(transitions.length)],
];

/** The table; two columns for a configuration whose best and worst case differ. */
export function logTable(runs: { name: string; run: LogRun }[]): HTMLTableElement {
  const columns = runs.flatMap(({ name, run: { best, worst } }): [string, Replayed][] =>
    best.unknown > 0 || worst.unknown > 0
      ? [
          [`${name}, best`, best],
          [`${name}, worst`, worst],
        ]
      : [[name, best]],
  );
  const head = make('tr', {}, make('td'), ...columns.map(([name]) => make('th', { scope: 'col' }, name)));
  const rows = ROWS.map(([title, hint, format]) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row', title: hint }, title),
      ...columns.map(([, result]) => make('td', {}, format(result))),
    ),
  );
  return make(
    'table',
    { class: 'score' },
    make('caption', {}, 'What would have been different'),
    make('thead', {}, head),
    make('tbody', {}, ...rows),
  );
}

/** Whether A is the configuration that was in force. */
export function inForce(dropped: DroppedLog, { best }: LogRun): string {
  const { first_difference: index } = best;
  const all = `${count(dropped.records.length)} recorded calls`;
  if (index === null) {
    return `A reproduces every decision of the ${all}: it may be the configuration that was in force.`;
  }
  const at = (dropped.records[index]?.at_seconds ?? 0) - dropped.origin;
  return `Of the ${all}, A decides differently for the first time at ${clock(at)}, record ${index + 1}: it is not the configuration that was in force.`;
}
