/** The bar above: scenario, seed, time, view, link, log. */

import { copied } from './copy-dialog.js';
import { make, write } from './dom.js';
import type { Lab } from './lab.js';
import type { View } from './link.js';
import { CASES } from './scenarios.js';
import type { Transport } from './transport.js';

export interface ToolbarEvents {
  onScenario(id: string): void;
  onSeed(seed: number): void;
  onView(view: View): void;
  onLog(file: File): void;
  link(): string;
}

const VIEWS: [View, string][] = [
  ['a', 'A'],
  ['b', 'B'],
  ['both', 'A + B'],
];

export class Toolbar {
  readonly element: HTMLElement;
  readonly #scenario: HTMLSelectElement;
  readonly #seed = make('input', {
    type: 'number',
    min: 0,
    step: 1,
    class: 'seed',
    'aria-label': 'Seed',
    title: 'Another seed draws other requests, latencies and failures',
  });
  readonly #copy = make('button', { type: 'button' }, 'Copy link');
  readonly #views: HTMLButtonElement[];
  readonly #status = make('span', { class: 'status-line', role: 'status' });
  readonly #log = make('option', { value: 'log', hidden: true });

  constructor(transport: Transport, events: ToolbarEvents) {
    this.#scenario = make(
      'select',
      { 'aria-label': 'Scenario', class: 'scenario' },
      ...CASES.map(({ id, title }) => make('option', { value: id }, title)),
      this.#log,
    );
    this.#scenario.addEventListener('change', () => events.onScenario(this.#scenario.value));
    this.#seed.addEventListener('change', () => {
      const seed = Math.max(0, Math.round(Number(this.#seed.value)) || 0);
      events.onSeed(seed);
    });
    this.#views = VIEWS.map(([view, text]) =>
      make('button', { type: 'button', onclick: () => events.onView(view) }, text),
    );
    this.#copy.addEventListener('click', async () => {
      const link = events.link();
      const result = await copied(link);
      write(this.#status, result === 'Copied.' ? 'Link copied.' : 'The link is in the address bar.');
    });
    const file = make('input', {
      type: 'file',
      accept: '.jsonl,.json,.csv,.ndjson,text/plain',
      class: 'hidden',
      tabindex: -1,
      'aria-hidden': 'true',
    });
    file.addEventListener('change', () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) {
        events.onLog(chosen);
      }
      file.value = '';
    });
    const replay = make(
      'button',
      {
        type: 'button',
        onclick: () => file.click(),
        title: 'JSON lines, CSV or OpenTelemetry spans; the file never leaves this page',
      },
      'Replay a log …',
    );
    const views = make('div', { class: 'views', role: 'group', 'aria-label': 'Show' }, ...this.#views);
    this.element = make(
      'div',
      { class: 'toolbar' },
      make(
        'div',
        { class: 'row' },
        this.#scenario,
        make('label', { class: 'seed-label' }, 'Seed', this.#seed),
        replay,
        file,
        this.#copy,
        this.#status,
      ),
      make('div', { class: 'row' }, transport.element, views),
    );
  }

  show({ subject, view, runs, log }: Lab): void {
    this.#log.hidden = log === undefined;
    write(this.#log, subject.title);
    this.#scenario.value = log === undefined ? subject.id : 'log';
    this.#seed.value = String(subject.scenario.seed);
    this.#seed.disabled = log !== undefined;
    // A link holds no log.
    this.#copy.disabled = log !== undefined;
    this.#views.forEach((button, index) => {
      const name = VIEWS[index]?.[0];
      button.setAttribute('aria-pressed', String(name === view));
      button.disabled = runs.b === undefined && name !== 'a';
    });
    write(this.#status, '');
  }

  fail(message: string): void {
    write(this.#status, message);
    this.#status.classList.toggle('error', message !== '');
  }
}
