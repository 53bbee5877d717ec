/** The world outside the breaker as knobs: clients, providers, faults. */

import { make } from './dom.js';
import { isRefusal, World } from './engine.js';
import { choiceKnob, type Knob, numberKnob, switchKnob, textKnob } from './knob.js';
import { type Case, STRATEGIES } from './scenarios.js';
import { EFFECTS, PARAMETERS } from './texts.js';

interface NumberText {
  label: string;
  unit: string;
  range?: [number, number];
  step?: number;
  initial?: number;
  hint?: string;
}

const CLIENTS: Record<string, NumberText> = {
  'clients.per_second': {
    label: 'Requests',
    unit: '/s',
    range: [0.5, 200],
    hint: 'Above 0, at most 100,000; a run on this page has at most 300,000 requests',
  },
  'clients.timeout_seconds': {
    label: 'Timeout of a call',
    unit: 's',
    range: [0.1, 30],
    hint: 'After it a call is given up, which counts as a failure; above 0, at most an hour',
  },
  'clients.deadline_seconds': {
    label: 'Deadline of a request',
    unit: 's',
    range: [0.1, 60],
    initial: 6,
    hint: 'After it a request is given up with all its calls; at most an hour, or off',
  },
  'clients.retries': {
    label: 'Retries',
    unit: '',
    range: [0, 10],
    step: 1,
    hint: 'How often a failed call is repeated, 0 to 10; a rejected call is not',
  },
  'clients.backoff_seconds': {
    label: 'Wait before a retry',
    unit: 's',
    range: [0, 10],
    hint: '± half at random, doubled each time; 0 to 60',
  },
  workers: {
    label: 'Workers',
    unit: '',
    range: [1, 16],
    step: 1,
    hint: 'Processes, each with a breaker of its own; 1 to 64',
  },
  seconds: { label: 'Length of the run', unit: 's', range: [10, 600], hint: 'Above 0, at most a day' },
};

const LATENCIES: Record<string, Record<string, NumberText & { value: number }>> = {
  fixed: { seconds: { label: 'Each call takes', unit: 's', range: [0.01, 30], value: 0.25 } },
  log_normal: {
    median_seconds: { label: 'Median', unit: 's', range: [0.01, 30], value: 0.25 },
    sigma: { label: 'Spread', unit: 'σ', range: [0, 2], value: 0.4 },
  },
  bimodal: {
    fast_seconds: { label: 'Most calls take', unit: 's', range: [0.01, 30], value: 0.1 },
    slow_seconds: { label: 'The others take', unit: 's', range: [0.01, 30], value: 1 },
    slow_share: { label: 'Share of the others', unit: '%', range: [0, 1], value: 0.2 },
  },
};

const PARAMETER_TEXTS: Record<string, NumberText> = {
  share: { label: 'Share of calls', unit: '%', range: [0, 1] },
  factor: { label: 'Times as long', unit: '×', range: [1, 50] },
  seconds: { label: 'Later by', unit: 's', range: [0.1, 30] },
  period_seconds: { label: 'One turn', unit: 's', range: [0.5, 60] },
  down_share: { label: 'Down for', unit: '% of it', range: [0, 1] },
  retry_after_seconds: { label: 'Retry-After', unit: 's', range: [1, 120] },
  shards: { label: 'Shards', unit: '', range: [1, 32], step: 1 },
  bad: { label: 'Bad ones', unit: '', range: [0, 32], step: 1 },
  every_seconds: { label: 'A restart every', unit: 's', range: [1, 60] },
  cold_seconds: { label: 'Cold for', unit: 's', range: [0, 30] },
};

type Path = (string | number)[];

export class ScenarioPanel {
  readonly element = make('div', { class: 'panel' });
  readonly #onChange: (subject: Case) => void;
  #draft: Case | undefined;
  #knobs = new Map<string, Knob>();

  constructor(onChange: (subject: Case) => void) {
    this.#onChange = onChange;
  }

  show(subject: Case): void {
    const draft = structuredClone(subject);
    this.#draft = draft;
    this.#knobs = new Map();
    const { scenario } = draft;
    const strategies: [string, string][] = [
      ['', 'only the first provider'],
      ...STRATEGIES.map((it): [string, string] => [it, it.replaceAll('_', ' ')]),
    ];
    this.element.replaceChildren(
      this.#group(
        'Clients',
        ...Object.entries(CLIENTS).map(([path, text]) => this.#number(path.split('.'), text)),
        this.#choice(
          ['clients', 'arrivals', 'kind'],
          'Arrivals',
          scenario.clients.arrivals.kind,
          [
            ['steady', 'steady'],
            ['poisson', 'at random'],
            ['bursts', 'in bursts'],
          ],
          (kind) => {
            scenario.clients.arrivals = kind === 'bursts' ? { kind, size: 10 } : { kind };
          },
        ),
        ...(scenario.clients.arrivals.kind === 'bursts'
          ? [
              this.#number(['clients', 'arrivals', 'size'], {
                label: 'Size of a burst',
                unit: '',
                range: [1, 200],
                step: 1,
              }),
            ]
          : []),
        this.#choice(['failover'], 'A request goes to', draft.failover ?? '', strategies, (name) => {
          draft.failover = name === '' ? null : name;
        }),
        switchKnob(
          '429 is a failure',
          'By default it is ignored, because it concerns one key and says nothing about the provider',
          draft.count_rate_limits,
          (value) => {
            draft.count_rate_limits = value;
            this.#changed('count_rate_limits');
          },
        ).element,
      ),
      ...scenario.providers.map((_, index) => this.#provider(index)),
      this.#button('Add a provider', () => {
        const name = `provider ${scenario.providers.length + 1}`;
        scenario.providers.push({ name, latency: { kind: 'fixed', seconds: 0.3 } });
      }),
      ...scenario.faults.map((_, index) => this.#fault(index)),
      this.#button('Add a fault', () => {
        const from = Math.round(scenario.seconds / 4);
        scenario.faults.push({
          provider: scenario.providers[0]?.name ?? '',
          from_seconds: from,
          to_seconds: 2 * from,
          effect: { kind: 'down' },
        });
      }),
    );
  }

  #provider(index: number): HTMLElement {
    const { scenario } = this.#draft as Case;
    const provider = scenario.providers[index] as Case['scenario']['providers'][number];
    const name = textKnob('Name', 'Unique among the providers', provider.name, (next) => {
      for (const fault of scenario.faults.filter((it) => it.provider === provider.name)) {
        fault.provider = next;
      }
      provider.name = next;
      this.#changed(`providers[${index}].name`);
    });
    this.#knobs.set(`providers[${index}].name`, name);
    const { kind } = provider.latency;
    return this.#group(
      `Provider ${index + 1}`,
      name.element,
      this.#choice(
        ['providers', index, 'latency', 'kind'],
        'Latency',
        kind,
        [
          ['fixed', 'fixed'],
          ['log_normal', 'log-normal'],
          ['bimodal', 'two kinds'],
        ],
        (next) => {
          const values = Object.entries(LATENCIES[next] ?? {}).map(([key, { value }]) => [key, value]);
          provider.latency = { kind: next, ...Object.fromEntries(values) };
        },
      ),
      ...Object.entries(LATENCIES[kind] ?? {}).map(([key, text]) =>
        this.#number(['providers', index, 'latency', key], text),
      ),
      this.#number(['providers', index, 'failure_rate'], { label: 'Fails anyway', unit: '%', range: [0, 1] }, 0),
      this.#number(
        ['providers', index, 'capacity'],
        {
          label: 'Serves at once',
          unit: 'calls',
          range: [1, 200],
          step: 1,
          initial: 10,
          hint: 'With twice as many, each takes twice as long; or off',
        },
        null,
      ),
      ...(scenario.providers.length > 1
        ? [this.#button('Remove this provider', () => scenario.providers.splice(index, 1))]
        : []),
    );
  }

  #fault(index: number): HTMLElement {
    const { scenario } = this.#draft as Case;
    const fault = scenario.faults[index] as Case['scenario']['faults'][number];
    const names = scenario.providers.map(({ name }): [string, string] => [name, name]);
    const { kind, ...parameters } = fault.effect;
    return this.#group(
      `Fault ${index + 1}`,
      this.#choice(['faults', index, 'provider'], 'Of', fault.provider, names, (name) => {
        fault.provider = name;
      }),
      this.#choice(['faults', index, 'effect', 'kind'], 'Kind', kind, Object.entries(EFFECTS), (next) => {
        fault.effect = { kind: next, ...PARAMETERS[next] };
      }),
      this.#number(['faults', index, 'from_seconds'], { label: 'Begins at', unit: 's', range: [0, scenario.seconds] }),
      this.#number(['faults', index, 'to_seconds'], { label: 'Ends at', unit: 's', range: [0, scenario.seconds] }),
      ...Object.keys(parameters).map((key) =>
        this.#number(['faults', index, 'effect', key], PARAMETER_TEXTS[key] ?? { label: key, unit: '' }),
      ),
      this.#button('Remove this fault', () => scenario.faults.splice(index, 1)),
    );
  }

  #group(title: string, ...knobs: HTMLElement[]): HTMLElement {
    return make('fieldset', { class: 'group' }, make('legend', {}, title), ...knobs);
  }

  #number(path: Path, text: NumberText, missing: unknown = undefined): HTMLElement {
    const owner = ownerOf((this.#draft as Case).scenario as never, path);
    const key = String(path.at(-1));
    const name = nameOf(path);
    const knob = numberKnob({
      ...text,
      hint: text.hint ?? '',
      value: owner[key] === undefined ? missing : owner[key],
      onChange: (value) => {
        owner[key] = value;
        this.#changed(name);
      },
    });
    knob.element.dataset['field'] = name;
    this.#knobs.set(name, knob);
    return knob.element;
  }

  /** A choice that changes which knobs there are. */
  #choice(
    path: Path,
    label: string,
    value: string,
    options: [string, string][],
    set: (value: string) => void,
  ): HTMLElement {
    const name = nameOf(path);
    const knob = choiceKnob(label, '', value, options, (next) => {
      set(next);
      this.#restructured(name);
    });
    knob.element.dataset['field'] = name;
    this.#knobs.set(name, knob);
    return knob.element;
  }

  #button(text: string, change: () => void): HTMLElement {
    return make(
      'button',
      {
        type: 'button',
        class: 'small',
        onclick: () => {
          change();
          this.#restructured('');
        },
      },
      text,
    );
  }

  #restructured(name: string): void {
    const draft = this.#draft as Case;
    this.show(draft);
    this.element.querySelector<HTMLElement>(`[data-field="${name}"] :is(select, input)`)?.focus();
    this.#changed(name);
  }

  #changed(name: string): void {
    const draft = this.#draft as Case;
    for (const knob of this.#knobs.values()) {
      knob.fail('');
    }
    try {
      checkSubject(draft);
    } catch (error) {
      if (!(error instanceof Error)) {
        throw error;
      }
      const field = isRefusal(error) ? error.field : name;
      (this.#knobs.get(field) ?? this.#knobs.get(name))?.fail(error.message);
      return;
    }
    this.#onChange(structuredClone(draft));
  }
}

/** The most requests of a run on this page: more would not fit into memory with their traces. */
const MOST_REQUESTS = 300_000;

/** Throws the core's refusal of a scenario, or that of this page. */
export function checkSubject({ scenario, failover, count_rate_limits }: Case): void {
  World.read(JSON.stringify(scenario), failover ?? undefined, count_rate_limits).free();
  if (scenario.seconds * scenario.clients.per_second > MOST_REQUESTS) {
    throw new Error(
      `This page runs at most ${MOST_REQUESTS.toLocaleString('en')} requests; the command line runs ten million.`,
    );
  }
}

function ownerOf(scenario: Record<string, unknown>, path: Path): Record<string, unknown> {
  return path.slice(0, -1).reduce((owner, key) => owner[key] as Record<string, unknown>, scenario);
}

/** The name that the core's message has for a path: `faults[0].effect.share`. */
function nameOf(path: Path): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('');
}
