/** The stage: for each configuration shown and each provider a lane with its clients, its gate and its provider. */

import { clock, make, write } from './dom.js';
import type { CircuitView, State, Transition } from './engine.js';
import { armAngle, drawEvidence, drawSwitch, evidenceHeight } from './gate.js';
import type { Shown } from './lab.js';
import { type Palette, Surface } from './palette.js';
import { drawCalls, type Places, share } from './particles.js';
import { type Played, transitionsOf } from './played.js';
import type { Case } from './scenarios.js';
import { faultText, STATES } from './texts.js';

export interface Moment {
  time: number;
  speed: number;
  /** Whether things move, so that the arm swings instead of jumping. */
  moves: boolean;
  worker: number;
}

/** The top of the evidence, below the switch. */
const BOX_TOP = 70;
/** On a narrow page the box is as wide as the stage, so it begins below the way back. */
const BOX_TOP_NARROW = 108;
/** A stage of fewer pixels is narrow. */
const NARROW = 520;
/** The most lanes of one configuration. */
const MOST_LANES = 3;

export class Stage {
  readonly element = make('div', { class: 'stage' });
  #lanes: Lane[] = [];

  /** Makes the lanes anew; `onBreak` is called with a provider that the reader breaks or heals. */
  show(subject: Case, shown: Shown[], onBreak: (provider: string) => void): void {
    const providers = subject.failover === null ? subject.scenario.providers.slice(0, 1) : subject.scenario.providers;
    const wanted = providers
      .slice(0, MOST_LANES)
      .flatMap((_, provider) =>
        shown.map(({ name, label, run }) => ({ key: `${provider}${name}`, provider, label, run })),
      );
    const isSame = wanted.length === this.#lanes.length && wanted.every(({ key }, at) => this.#lanes[at]?.key === key);
    if (!isSame) {
      this.#lanes = wanted.map(({ key, provider }) => new Lane(key, provider, onBreak));
      this.element.replaceChildren(...this.#lanes.map((lane) => lane.element));
    }
    for (const [at, { run, label }] of wanted.entries()) {
      this.#lanes[at]?.show(subject, run, label);
    }
  }

  /** Draws a moment; returns the views of the circuits, in the order of the lanes, and how many calls were drawn. */
  draw(moment: Moment, palette: Palette): { views: (CircuitView | undefined)[]; drawn: number } {
    let drawn = 0;
    const views = this.#lanes.map((lane) => {
      const result = lane.draw(moment, palette);
      drawn += result.drawn;
      return result.view;
    });
    return { views, drawn };
  }
}

class Lane {
  readonly key: string;
  readonly element: HTMLElement;
  readonly #provider: number;
  readonly #surface: Surface;
  readonly #title = make('strong');
  readonly #badge = make('span', { class: 'badge' });
  readonly #others = make('span', { class: 'soft others' });
  readonly #button: HTMLButtonElement;
  readonly #name = make('b');
  readonly #condition = make('span');
  readonly #action = make('span', { class: 'hidden' });
  #subject: Case | undefined;
  #run: Played | undefined;
  #arm = 0;

  constructor(key: string, provider: number, onBreak: (provider: string) => void) {
    this.key = key;
    this.#provider = provider;
    const canvas = make('canvas', { 'aria-hidden': 'true' });
    this.#surface = new Surface(canvas);
    this.#button = make(
      'button',
      { type: 'button', class: 'provider' },
      this.#name,
      ' ',
      this.#condition,
      this.#action,
    );
    this.#button.addEventListener('click', () => onBreak(this.#subject?.scenario.providers[provider]?.name ?? ''));
    const head = make('div', { class: 'lane-head' }, this.#title, this.#badge, this.#others);
    const rail = make('div', { class: 'rail' }, canvas, make('span', { class: 'clients' }, 'clients'), this.#button);
    this.element = make('div', { class: 'lane' }, head, rail);
  }

  show(subject: Case, run: Played, name: string): void {
    this.#subject = subject;
    this.#run = run;
    this.#surface.canvas.style.setProperty('--evidence', `${evidenceHeight(run.config)}px`);
    const provider = subject.scenario.providers[this.#provider]?.name ?? '';
    write(this.#title, name === '' ? `Circuit to ${provider}` : `${name}: circuit to ${provider}`);
    write(this.#name, provider);
  }

  draw(moment: Moment, palette: Palette): { view: CircuitView | undefined; drawn: number } {
    const [run, subject] = [this.#run, this.#subject];
    if (run === undefined || subject === undefined) {
      return { view: undefined, drawn: 0 };
    }
    const view = run.circuitAt(moment.time, moment.worker, this.#provider);
    this.#describe(view, moment, subject);
    const context = this.#surface.begin();
    const { width, height } = this.#surface;
    const isNarrow = width < NARROW;
    const [gate, arm] = [isNarrow ? width * 0.42 : width * 0.46, isNarrow ? 24 : 34];
    const places: Places = {
      clients: isNarrow ? 14 : 64,
      gateIn: gate - arm,
      gateOut: gate + arm,
      provider: width - (isNarrow ? 104 : 150),
      rail: 44,
      back: 92,
    };
    const target = armAngle(view?.state);
    this.#arm = moment.moves ? this.#arm + (target - this.#arm) * 0.25 : target;
    drawSwitch(context, places, this.#arm, view?.state, palette);
    const perSecond = subject.scenario.clients.per_second / subject.scenario.workers;
    const filter = { worker: moment.worker, provider: this.#provider, share: share(perSecond, moment.speed) };
    const drawn = drawCalls(context, run.calls, moment.time, moment.speed, filter, places, palette);
    const boxWidth = isNarrow ? width : 250;
    const top = isNarrow ? BOX_TOP_NARROW : BOX_TOP;
    const box = { x: Math.max(0, gate - boxWidth / 2), y: top, width: boxWidth, height: height - top - 2 };
    drawEvidence(context, box, view, run.config, this.#wait(run, view, moment), palette);
    return { view, drawn };
  }

  /** How long the wait at this time is in all. */
  #wait(run: Played, view: CircuitView | undefined, { time, worker }: Moment): number | undefined {
    const left = view?.retry_after_seconds ?? undefined;
    const isOpening = (it: Transition) => it.to_state === 'open' && it.at_seconds <= time;
    const opened = transitionsOf(run, worker, this.#provider).findLast(isOpening);
    return left === undefined || opened === undefined ? undefined : left + time - opened.at_seconds;
  }

  #describe(view: CircuitView | undefined, { time, worker }: Moment, subject: Case): void {
    const state: State | undefined = view?.state;
    this.element.dataset['state'] = state ?? 'none';
    write(this.#badge, state === undefined ? 'no breaker' : (STATES[state] ?? state));
    const { workers, providers, faults } = subject.scenario;
    write(this.#others, workers > 1 ? `worker ${worker + 1} of ${workers}` : '');
    const name = providers[this.#provider]?.name;
    const faulty = faults.filter((it) => it.provider === name && it.from_seconds <= time && time < it.to_seconds);
    const isBroken = faulty.length > 0;
    write(this.#condition, isBroken ? faulty.map(faultText).join('; ') : 'healthy');
    this.#button.classList.toggle('broken', isBroken);
    this.#button.title = isBroken ? `Heal ${name} now` : `Break ${name} now, at ${clock(time)}`;
    write(this.#action, isBroken ? ': heal it now' : ': break it now');
  }
}
