/** The simulator: the parts, and what each reader's action changes. */

import { Announcer } from './announcer.js';
import { make, write } from './dom.js';
import type { ConfigDocument } from './engine.js';
import { Explanations } from './explanations.js';
import { withFaultMoved, withProviderBrokenOrHealed } from './faults.js';
import { Lab } from './lab.js';
import { fragmentOf, type Linked, type View } from './link.js';
import { DroppedLog } from './log-run.js';
import { type Palette, paletteOf } from './palette.js';
import { share } from './particles.js';
import { spansOf } from './played.js';
import { Plots } from './plots.js';
import { Results } from './results.js';
import { type Case, caseOf } from './scenarios.js';
import { Sidebar } from './sidebar.js';
import { Stage } from './stage.js';
import { SweepPanel } from './sweep.js';
import { Timeline } from './timeline.js';
import { Toolbar } from './toolbar.js';
import { Transport } from './transport.js';

export interface Options {
  isFull: boolean;
  /** The fields that an embedded simulation shows. */
  knobs: string[];
  /** Whether an embedded simulation shows the score. */
  hasScore: boolean;
}

export class Simulator {
  readonly element: HTMLElement;
  readonly #options: Options;
  readonly #stage = new Stage();
  readonly #timeline: Timeline;
  readonly #plots: Plots;
  readonly #transport: Transport;
  readonly #toolbar: Toolbar;
  readonly #sidebar: Sidebar;
  readonly #announcer = new Announcer();
  readonly #explanations = new Explanations();
  readonly #drawn = make('span', { class: 'drawn soft' });
  readonly #question = make('p', { class: 'question' });
  readonly #notice = make('p', { class: 'notice' });
  readonly #results: Results;
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #resized = new ResizeObserver(() => this.#resize());
  #lab: Lab;
  #worker = 0;
  #palette: Palette | undefined;
  #frame = 0;
  #last = 0;
  #isDirty = true;
  #isVisible = true;

  constructor({ subject, view }: Linked, options: Options) {
    this.#options = options;
    this.#results = new Results(options.isFull ? 'region' : 'group');
    this.#lab = new Lab(subject, view);
    this.#transport = new Transport(
      (time) => this.seek(time),
      () => this.#step(),
    );
    this.#timeline = new Timeline({
      onSeek: (time) => this.seek(time),
      onFault: (index, from, to) => this.#edit(withFaultMoved(this.#lab.subject, index, from, to)),
    });
    this.#plots = new Plots({
      onSeek: (time) => this.seek(time),
      onThreshold: (name, field, value) => this.#setField(name, field, value),
    });
    this.#sidebar = new Sidebar(options, {
      onConfig: (name, config) => this.#configure(name, config),
      onCase: (changed) => this.#edit(changed),
      onWorker: (worker) => this.#watch(worker),
    });
    this.#toolbar = new Toolbar(this.#transport, {
      onScenario: (id) => this.#load(caseOf(id), caseOf(id).b === null ? 'a' : 'both'),
      onSeed: (seed) => this.#seed(seed),
      onView: (shown) => this.#show(shown),
      link: () => this.#link(),
      onLog: (file) => this.#drop(file),
    });
    const sweep = new SweepPanel(
      () => this.#lab,
      (config) => this.#configure('a', config, true),
    );
    this.element = this.#layout(sweep);
    this.#listen();
    this.#loaded();
  }

  /** Begins to draw. Where motion is welcome it plays at once; otherwise it shows the first change of state. */
  connected(): void {
    this.#resized.observe(this.element);
    this.#recolour();
    const first = this.#lab.shown()[0]?.run.report.transitions[0]?.at_seconds;
    if (this.#still.matches) {
      this.seek(first ?? 0);
    } else {
      this.#transport.toggle(true);
    }
    this.#frame = requestAnimationFrame((now) => this.#tick(now));
  }

  free(): void {
    cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    this.#lab.free();
  }

  seek(time: number): void {
    this.#transport.moveTo(time);
    this.#isDirty = true;
  }

  #layout(sweep: SweepPanel): HTMLElement {
    const legend = make(
      'p',
      { class: 'legend' },
      ...[
        ['way', 'on its way'],
        ['probe', 'probe'],
        ['answered', 'answered'],
        ['failed', 'failed'],
        ['refused', 'turned back'],
      ].map(([name, text]) => make('span', { class: 'entry' }, make('i', { class: `mark ${name}` }), text ?? '')),
      this.#drawn,
    );
    // A page that embeds several has no landmark for each part.
    const role = this.#options.isFull ? 'region' : 'group';
    const left = make(
      'div',
      { class: 'left' },
      make(
        'section',
        { class: 'card', role, 'aria-label': 'Stage' },
        this.#stage.element,
        legend,
        this.#explanations.element,
      ),
      make('section', { class: 'card', role, 'aria-label': 'Over time' }, this.#timeline.element, this.#plots.element),
    );
    const element = make('div', { class: this.#options.isFull ? 'sim full' : 'sim' }, this.#announcer.element);
    if (!this.#options.isFull) {
      element.append(this.#transport.element, this.#question, left);
      if (this.#options.knobs.length > 0) {
        left.append(this.#sidebar.element);
      }
      if (this.#options.hasScore) {
        left.append(this.#results.score, this.#notice);
      }
      return element;
    }
    left.append(
      this.#results.score,
      this.#notice,
      make('details', { class: 'tables' }, make('summary', {}, 'Sweep: which values would be best?'), sweep.element),
      this.#results.tables,
    );
    element.append(this.#toolbar.element, this.#question, make('div', { class: 'body' }, left, this.#sidebar.element));
    return element;
  }

  #listen(): void {
    this.#dark.addEventListener('change', () => this.#recolour());
    new IntersectionObserver(([entry]) => {
      this.#isVisible = entry?.isIntersecting ?? true;
    }).observe(this.element);
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      if (file !== undefined && this.#options.isFull) {
        event.preventDefault();
        this.#drop(file);
      }
    });
    this.element.addEventListener('keydown', (event) => {
      const isFree =
        !(event.composedPath()[0] instanceof HTMLElement) ||
        !(event.composedPath()[0] as HTMLElement).matches('input, select, button, textarea, summary');
      if (event.key === ' ' && isFree) {
        event.preventDefault();
        this.#transport.toggle();
      }
    });
  }

  // ---- changes

  #load(subject: Case, view: View, keepsTime = false): void {
    const lab = new Lab(subject, view);
    this.#lab.free();
    this.#lab = lab;
    this.#loaded(keepsTime);
  }

  #drop(file: File): void {
    file
      .text()
      .then((text) => {
        const log = new DroppedLog(file.name, text);
        const { a, b } = this.#lab.subject;
        const lab = new Lab(log.subject(a, b), this.#lab.view, log);
        this.#lab.free();
        this.#lab = lab;
        this.#toolbar.fail('');
        this.#loaded();
      })
      .catch((error: Error) => this.#toolbar.fail(`${file.name}: ${error.message}`));
  }

  #configure(name: 'a' | 'b', config: ConfigDocument | null, isElsewhere = false): void {
    const hadB = this.#lab.runs.b !== undefined;
    this.#lab.configure(name, config);
    if (name === 'b' && !hadB) {
      this.#lab.view = 'both';
    }
    if (isElsewhere || name === 'b') {
      this.#sidebar.show(this.#lab, this.#worker, isElsewhere);
    }
    this.#changed();
  }

  #setField(name: 'A' | 'B', field: string, value: number): void {
    const key = name === 'A' ? 'a' : 'b';
    this.#configure(key, { ...this.#lab.subject[key], [field]: value }, true);
  }

  #seed(seed: number): void {
    const { subject } = this.#lab;
    this.#edit({ ...subject, scenario: { ...subject.scenario, seed } });
  }

  #breakOrHeal(provider: string): void {
    if (this.#lab.log === undefined) {
      this.#edit(withProviderBrokenOrHealed(this.#lab.subject, provider, this.#transport.time));
    }
  }

  /** Runs a changed subject, and stays at the present time. */
  #edit(subject: Case): void {
    this.#load(subject, this.#lab.view, true);
  }

  #show(view: View): void {
    this.#lab.view = view;
    this.#changed();
  }

  #watch(worker: number): void {
    this.#worker = worker;
    this.#changed();
  }

  #step(): void {
    const { time } = this.#transport;
    const times = this.#lab.shown().flatMap(({ run }) => run.report.transitions.map(({ at_seconds }) => at_seconds));
    const next = times.filter((at) => at > time + 0.001).sort((one, other) => one - other)[0];
    this.seek(next ?? this.#transport.seconds);
  }

  #link(): string {
    const { subject, view } = this.#lab;
    return `${location.href.split('#')[0]}${fragmentOf({ subject, view })}`;
  }

  // ---- showing

  #loaded(keepsTime = false): void {
    const { subject } = this.#lab;
    const { seconds, workers } = subject.scenario;
    this.#worker = Math.min(this.#worker, workers - 1);
    this.#transport.seconds = seconds;
    if (!keepsTime) {
      this.#transport.setSpeed(subject.speed);
    }
    this.seek(keepsTime ? this.#transport.time : 0);
    if (!keepsTime && !this.#still.matches && this.#frame !== 0) {
      this.#transport.toggle(true);
    }
    write(this.#question, subject.question);
    this.#notice.replaceChildren(make('b', {}, 'Notice: '), subject.notice);
    this.#sidebar.show(this.#lab, this.#worker, !keepsTime);
    this.#changed();
  }

  /** Shows a change of the runs. */
  #changed(): void {
    const { subject, log } = this.#lab;
    const { seconds, faults, providers } = subject.scenario;
    const shown = this.#lab.shown();
    this.#stage.show(subject, shown, (provider) => this.#breakOrHeal(provider));
    const lanes = subject.failover === null ? [0] : providers.slice(0, 3).map((_, index) => index);
    const rows = lanes.flatMap((provider) =>
      shown.map(({ label, run }) => ({
        label: [label, lanes.length > 1 || shown.length === 1 ? (providers[provider]?.name ?? '') : '']
          .join(' ')
          .trim(),
        spans: spansOf(run, this.#worker, provider, seconds),
      })),
    );
    this.#timeline.show(rows, faults, seconds);
    this.#plots.show(shown, { worker: this.#worker, provider: 0, seconds }, this.#colours());
    this.#toolbar.show(this.#lab);
    this.#results.show(this.#lab);
    this.#isDirty = true;
    if (this.#options.isFull && log === undefined) {
      history.replaceState(null, '', this.#link());
    }
  }

  #tick(now: number): void {
    this.#frame = requestAnimationFrame((next) => this.#tick(next));
    const passed = (now - this.#last) / 1000;
    if (this.#transport.isPlaying && this.#isVisible) {
      if (!this.#still.matches) {
        this.#last = now;
        this.seek(this.#transport.time + Math.min(passed, 0.1) * this.#transport.speed);
      } else if (passed >= 1) {
        // Steps instead of movement.
        this.#last = now;
        this.seek(this.#transport.time + this.#transport.speed);
      }
    } else {
      this.#last = now;
    }
    if (this.#isDirty) {
      this.#isDirty = false;
      this.#draw();
    }
  }

  #draw(): void {
    const { time, speed, isPlaying } = this.#transport;
    const palette = this.#colours();
    const moves = isPlaying && !this.#still.matches;
    const { views } = this.#stage.draw({ time, speed, moves, worker: this.#worker }, palette);
    this.#timeline.draw(time, palette);
    this.#plots.draw(time);
    this.#explanations.show(this.#lab, views);
    const { per_second } = this.#lab.subject.scenario.clients;
    const every = share(per_second / this.#lab.subject.scenario.workers, speed);
    write(this.#drawn, every === 1 ? 'every request is drawn' : `one of ${every} requests is drawn, and every probe`);
    const providers = this.#lab.subject.scenario.providers.map(({ name }) => name);
    this.#announcer.moved(time, this.#lab.shown(), providers);
  }

  #colours(): Palette {
    this.#palette ??= paletteOf(this.element);
    return this.#palette;
  }

  #recolour(): void {
    this.#palette = undefined;
    this.#changed();
  }

  #resize(): void {
    this.#plots.resize();
    this.#isDirty = true;
  }
}
