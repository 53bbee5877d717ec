/** The score: no breaker, A and B side by side, and the same data as tables. */

import { clock, count, duration, make } from './dom.js';
import type { Report } from './engine.js';
import { CAUSES, STATES } from './texts.js';

interface Measure {
  title: string;
  hint: string;
  of(report: Report): number | null;
  format(value: number): string;
}

const MEASURES: Measure[] = [
  {
    title: 'Failed requests',
    hint: 'Requests of users that were not answered: failed or refused',
    of: ({ score }) => score.failed_requests,
    format: count,
  },
  {
    title: 'Time to open',
    hint: 'From the beginning of the first fault to the first opening',
    of: ({ score }) => score.seconds_to_open,
    format: duration,
  },
  {
    title: 'Time to recover',
    hint: 'From the end of the last fault until every circuit is closed again',
    of: ({ score }) => score.seconds_to_recover,
    format: duration,
  },
  {
    title: 'Wasted calls',
    hint: 'Calls that failed while a fault of their provider was in force',
    of: ({ score }) => score.wasted_calls,
    format: count,
  },
  {
    title: 'Refused in vain',
    hint: 'Calls that the circuit rejected, and that would have succeeded',
    of: ({ score }) => score.refused_in_vain,
    format: count,
  },
  {
    title: 'Calls per request',
    hint: 'More than 1 by retries and failover, less by rejections',
    of: ({ score }) => score.calls_per_request,
    format: (value) => value.toFixed(2),
  },
  {
    title: 'Latency, median',
    hint: 'Of answered requests, with their retries',
    of: ({ score }) => score.latency_seconds?.[0] ?? null,
    format: duration,
  },
  {
    title: 'Latency, 99 %',
    hint: 'One in a hundred answered requests takes longer',
    of: ({ score }) => score.latency_seconds?.[2] ?? null,
    format: duration,
  },
];

export interface Column {
  name: string;
  report: Report;
}

/** The table; the last column is the difference between the last two runs. */
export function scoreTable(columns: Column[]): HTMLTableElement {
  const [before, after] = columns.slice(-2) as [Column, Column];
  const head = make('tr', {}, make('th', { scope: 'col' }, `${count(before.report.requests)} requests`));
  head.append(...columns.map(({ name }) => make('th', { scope: 'col' }, name)));
  head.append(make('th', { scope: 'col' }, `${after.name} − ${before.name === 'No breaker' ? 'none' : before.name}`));
  const rows = MEASURES.map((measure) => {
    const values = columns.map(({ report }) => measure.of(report));
    const least = Math.min(...values.filter((value): value is number => value !== null));
    const isDecided = values.some((value) => value !== null && value !== least);
    const cells = values.map((value) =>
      make('td', { class: isDecided && value === least ? 'best' : '' }, value === null ? '–' : measure.format(value)),
    );
    const [one, other] = values.slice(-2) as [number | null, number | null];
    return make(
      'tr',
      {},
      make('th', { scope: 'row', title: measure.hint }, measure.title),
      ...cells,
      make('td', { class: 'soft' }, difference(one, other, measure)),
    );
  });
  return make(
    'table',
    { class: 'score' },
    make('caption', {}, 'Score: less is better'),
    make('thead', {}, head),
    make('tbody', {}, ...rows),
  );
}

function difference(one: number | null, other: number | null, measure: Measure): string {
  if (one === null || other === null) {
    return '';
  }
  if (one === other) {
    return '=';
  }
  return `${other > one ? '+' : '−'}${measure.format(Math.abs(other - one))}`;
}

/** The changes of state as a table. */
export function transitionTable(columns: Column[], providers: string[]): HTMLTableElement {
  const rows = columns
    .flatMap(({ name, report }) => report.transitions.map((it) => ({ name, ...it })))
    .sort((one, other) => one.at_seconds - other.at_seconds)
    .slice(0, 200)
    .map((it) =>
      make(
        'tr',
        {},
        make('td', {}, clock(it.at_seconds)),
        make('td', {}, it.name),
        make('td', {}, `${providers[it.provider] ?? ''}, worker ${it.worker + 1}`),
        make('td', { class: it.to_state }, STATES[it.to_state] ?? it.to_state),
        make('td', {}, CAUSES[it.cause] ?? it.cause),
        make('td', { class: 'text' }, it.explanation),
      ),
    );
  const titles = ['Time', 'Run', 'Circuit', 'State', 'Cause', 'Explanation'];
  return dataTable('Changes of state, the first 200', titles, rows);
}

/** The series as a table, a row for each twelfth of the run. */
export function seriesTable(columns: Column[]): HTMLTableElement {
  const step = columns[0]?.report.step_seconds ?? 1;
  const every = 20;
  const rows: HTMLTableRowElement[] = [];
  for (let from = 0; from < 240; from += every) {
    const cells = columns.flatMap(({ report }) => {
      const points = report.series.slice(from, from + every);
      return (['answered', 'failed', 'refused'] as const).map((of) =>
        make('td', {}, count(points.reduce((sum, point) => sum + point[of], 0))),
      );
    });
    rows.push(
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, `${clock(from * step)} to ${clock((from + every) * step)}`),
        ...cells,
      ),
    );
  }
  const titles = columns.flatMap(({ name }) => [`${name}: answered`, 'failed', 'refused']);
  return dataTable('Requests by their end', ['Time', ...titles], rows);
}

function dataTable(title: string, titles: string[], rows: HTMLTableRowElement[]): HTMLTableElement {
  const head = make('tr', {}, ...titles.map((text) => make('th', { scope: 'col' }, text)));
  return make(
    'table',
    { class: 'data' },
    make('caption', {}, title),
    make('thead', {}, head),
    make('tbody', {}, ...rows),
  );
}
