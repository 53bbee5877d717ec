/** The sweep over two fields as a heat map. */

import { count, make, write } from './dom.js';
import { type ConfigDocument, compiled, fieldOf, workerSource } from './engine.js';
import type { Lab } from './lab.js';
import { FIELD_GROUPS, type KnobText } from './texts.js';
import type { Objective, SweepRequest, SweepRow } from './worker.js';

const POINTS = 10;
const OBJECTIVES: [Objective, string][] = [
  ['failed_requests', 'failed requests'],
  ['both', 'wasted calls + refused in vain'],
  ['wasted_calls', 'wasted calls'],
  ['refused_in_vain', 'refused in vain'],
];

/** The fields with a range, and the window by its length. */
const FIELDS: [string, KnobText][] = FIELD_GROUPS.flatMap(([, fields]) => Object.entries(fields))
  .map(([name, text]): [string, KnobText] =>
    name === 'window' ? [name, { label: 'Window', unit: '', range: [2, 200], step: 1 }] : [name, text],
  )
  .filter(([, { range }]) => range !== undefined);

interface Axis {
  field: string;
  values: number[];
}

export class SweepPanel {
  readonly element: HTMLElement;
  readonly #lab: () => Lab;
  readonly #onPick: (config: ConfigDocument) => void;
  readonly #x = fieldChoice('Field across', 'timeout_seconds');
  readonly #y = fieldChoice('Field down', 'failure_threshold');
  readonly #objective = make(
    'select',
    { 'aria-label': 'Less of' },
    ...OBJECTIVES.map(([value, text]) => make('option', { value }, text)),
  );
  readonly #result = make('div', { class: 'heat', role: 'region', 'aria-label': 'Heat map', tabindex: 0 });
  readonly #status = make('p', { class: 'soft', role: 'status' });
  #worker: Worker | undefined;

  constructor(lab: () => Lab, onPick: (config: ConfigDocument) => void) {
    this.#lab = lab;
    this.#onPick = onPick;
    this.#objective.value = 'both';
    const start = make('button', { type: 'button', class: 'primary', onclick: () => this.run() }, 'Sweep');
    const controls = make(
      'div',
      { class: 'row' },
      this.#y,
      make('span', {}, '×'),
      this.#x,
      make('span', {}, 'for less'),
      this.#objective,
      start,
    );
    this.element = make(
      'div',
      { class: 'sweep' },
      make(
        'p',
        { class: 'soft' },
        'A hundred configurations around A in this scenario, and what each costs. Choose a point to make it A.',
      ),
      controls,
      this.#status,
      this.#result,
    );
  }

  async run(): Promise<void> {
    this.#worker?.terminate();
    const { subject, log } = this.#lab();
    const [x, y] = [axis(this.#x.value, subject.a), axis(this.#y.value, subject.a)];
    const configs = y.values.map((down) =>
      x.values.map((across) => withField(withField(subject.a, x.field, across), y.field, down)),
    );
    const request: SweepRequest = {
      module: await compiled(),
      subject:
        log === undefined
          ? {
              scenario: JSON.stringify(subject.scenario),
              failover: subject.failover,
              countRateLimits: subject.count_rate_limits,
            }
          : { log: log.text },
      rows: configs.map((row) => row.map((config) => JSON.stringify(config))),
      objective: this.#objective.value as Objective,
    };
    const results: (number | null)[][] = [];
    write(this.#status, 'Computing …');
    const source = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
    this.#worker = new Worker(source);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<SweepRow>) => {
      results[data.row] = data.values;
      if (data.row === configs.length - 1) {
        this.#worker?.terminate();
        URL.revokeObjectURL(source);
        this.#show(x, y, configs, results);
      }
    });
    this.#worker.postMessage(request);
  }

  #show(x: Axis, y: Axis, configs: ConfigDocument[][], results: (number | null)[][]): void {
    const known = results.flat().filter((value): value is number => value !== null);
    const [best, worst] = [Math.min(...known), Math.max(...known)];
    const near = known.filter((value) => value <= best + 0.1 * (worst - best)).length;
    const head = make('tr', {}, make('th', { scope: 'col' }, `${labelOf(y.field)} ↓  ${labelOf(x.field)} →`));
    head.append(...x.values.map((value) => make('th', { scope: 'col' }, valueText(x.field, value))));
    const rows = y.values.map((down, row) => {
      const cells = x.values.map((across, column) => {
        const place = `${labelOf(y.field)} ${valueText(y.field, down)}, ${labelOf(x.field)} ${valueText(x.field, across)}`;
        const config = (configs[row] as ConfigDocument[])[column] as ConfigDocument;
        return this.#cell(results[row]?.[column] ?? null, best, worst, place, config);
      });
      return make('tr', {}, make('th', { scope: 'row' }, valueText(y.field, down)), ...cells);
    });
    this.#result.replaceChildren(
      make(
        'table',
        {},
        make('caption', {}, `Less is better: ${OBJECTIVES.find(([name]) => name === this.#objective.value)?.[1]}`),
        make('thead', {}, head),
        make('tbody', {}, ...rows),
      ),
    );
    const effect =
      near > known.length / 4
        ? 'These fields matter little'
        : near > known.length / 12
          ? 'These fields matter'
          : 'These fields matter much';
    write(
      this.#status,
      `Best ${count(best)}, worst ${count(worst)}. ${effect}: ${near} of ${known.length} points are within a tenth of the range from the best.`,
    );
  }

  #cell(value: number | null, best: number, worst: number, place: string, config: ConfigDocument): HTMLElement {
    if (value === null) {
      return make('td', { title: 'The core refuses this configuration' }, '–');
    }
    const isBest = value === best;
    const good = worst === best ? 1 : (worst - value) / (worst - best);
    const name = `${place}: ${value}${isBest ? ', the best' : ''}`;
    const text = isBest ? `★ ${count(value)}` : count(value);
    const button = make('button', { type: 'button', 'aria-label': name, onclick: () => this.#onPick(config) }, text);
    button.style.setProperty('--good', `${Math.round(good * 33)}%`);
    return make('td', { class: isBest ? 'top' : '' }, button);
  }
}

function fieldChoice(label: string, initial: string): HTMLSelectElement {
  return make(
    'select',
    { 'aria-label': label },
    ...FIELDS.map(([name, { label: text }]) => make('option', { value: name, selected: name === initial }, text)),
  );
}

function labelOf(field: string): string {
  return FIELDS.find(([name]) => name === field)?.[1].label ?? field;
}

function valueText(field: string, value: number): string {
  const unit = FIELDS.find(([name]) => name === field)?.[1].unit ?? '';
  return unit.includes('%')
    ? `${Math.round(value * 100)} %`
    : `${value}${unit === 's' ? ' s' : unit === '×' ? ' ×' : ''}`;
}

/** Values of a field around the one that is set, evenly on a logarithmic scale where that is natural. */
function axis(field: string, config: ConfigDocument): Axis {
  const text = FIELDS.find(([name]) => name === field)?.[1] as KnobText;
  const [least, most] = text.range as [number, number];
  const window = fieldOf(config, 'window') as Record<string, number>;
  const set = field === 'window' ? Object.values(window)[0] : fieldOf(config, field);
  const centre = typeof set === 'number' ? set : (text.initial ?? Math.sqrt(Math.max(least, 0.01) * most));
  const isShare = most <= 1;
  const [low, high] = isShare
    ? [Math.max(least, 0.05), most]
    : [Math.max(least, centre / 6), Math.min(most, centre * 6)];
  const values = Array.from({ length: POINTS }, (_, index) => {
    const part = index / (POINTS - 1);
    const value = isShare || low <= 0 ? low + (high - low) * part : low * (high / low) ** part;
    return text.step === undefined ? Number(value.toPrecision(2)) : Math.round(value);
  });
  return { field, values: [...new Set(values)] };
}

function withField(config: ConfigDocument, field: string, value: number): ConfigDocument {
  if (field !== 'window') {
    return { ...config, [field]: value };
  }
  const kind = 'calls' in (fieldOf(config, 'window') as object) ? 'calls' : 'seconds';
  return { ...config, window: { [kind]: value } };
}
