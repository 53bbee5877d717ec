/** The knobs: of A, of B, of the scenario. On a narrow page they are a sheet from below. */

import { ConfigPanel } from './config-panel.js';
import { CopyDialog } from './copy-dialog.js';
import { make } from './dom.js';
import type { ConfigDocument } from './engine.js';
import { choiceKnob } from './knob.js';
import type { Lab } from './lab.js';
import { ScenarioPanel } from './scenario-panel.js';
import type { Case } from './scenarios.js';
import type { Options } from './simulator.js';

export interface SidebarEvents {
  onConfig(name: 'a' | 'b', config: ConfigDocument | null): void;
  onCase(subject: Case): void;
  onWorker(worker: number): void;
}

type Tab = 'a' | 'b' | 'scenario';

/** The selector of the hint that `style.css` shows. */
const HINT_IN_USE = '.knob:focus-within:not(.bad) .hint:not(:empty)';

export class Sidebar {
  readonly element: HTMLElement;
  readonly #events: SidebarEvents;
  readonly #isFull: boolean;
  readonly #panels: { a: ConfigPanel; b: ConfigPanel; scenario: ScenarioPanel };
  readonly #copy = new CopyDialog();
  readonly #tabs: Record<Tab, HTMLButtonElement>;
  readonly #body = make('div', { class: 'knobs', role: 'tabpanel', tabindex: -1 });
  readonly #open: HTMLButtonElement;
  readonly #head: HTMLElement;
  #tab: Tab = 'a';
  #lab: Lab | undefined;
  #worker = 0;

  constructor({ isFull, knobs }: Options, events: SidebarEvents) {
    this.#events = events;
    this.#isFull = isFull;
    const only = isFull ? undefined : knobs;
    this.#panels = {
      a: new ConfigPanel((config) => events.onConfig('a', config), only),
      b: new ConfigPanel((config) => events.onConfig('b', config), only),
      scenario: new ScenarioPanel(events.onCase),
    };
    const tab = (name: Tab, text: string) =>
      make('button', { type: 'button', role: 'tab', id: `tab-${name}`, onclick: () => this.#choose(name) }, text);
    this.#tabs = { a: tab('a', 'A'), b: tab('b', 'B'), scenario: tab('scenario', 'Scenario') };
    const list = make('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Knobs' }, ...Object.values(this.#tabs));
    list.addEventListener('keydown', (event) => this.#arrow(event));
    this.#open = make(
      'button',
      { type: 'button', class: 'sheet-button', 'aria-expanded': false, onclick: () => this.#toggle() },
      'Knobs',
    );
    const close = make(
      'button',
      { type: 'button', class: 'sheet-close', 'aria-label': 'Close the knobs', onclick: () => this.#toggle(false) },
      '✕',
    );
    this.#head = make('div', { class: 'sheet-head' }, list, close);
    const sheet = make('div', { class: 'sheet card' }, this.#head, this.#body);
    const role = isFull ? 'complementary' : 'group';
    const parts = [this.#open, sheet, this.#copy.element];
    this.element = make('div', { class: 'sidebar', role, 'aria-label': 'Knobs' }, ...parts);
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.element.classList.contains('unfolded')) {
        this.#toggle(false);
      }
    });
    this.#dismissHints();
  }

  /** Shows the knobs of a lab; `isNew` sets all of them, also those that the reader is using. */
  show(lab: Lab, worker: number, isNew: boolean): void {
    this.#lab = lab;
    this.#worker = worker;
    const hasB = lab.subject.b !== null;
    this.#tabs.b.textContent = hasB ? 'B' : 'Compare';
    this.#tabs.scenario.hidden = lab.log !== undefined || !this.#isFull;
    // An embedded simulation of one configuration has one panel.
    this.#head.hidden = !this.#isFull && !hasB;
    if ((lab.log !== undefined && this.#tab === 'scenario') || (!hasB && this.#tab === 'b')) {
      this.#tab = 'a';
    }
    if (isNew || this.#body.childElementCount === 0 || !hasB) {
      this.#choose(this.#tab, false);
    }
  }

  #choose(tab: Tab, isAsked = true): void {
    const lab = this.#lab;
    if (lab === undefined) {
      return;
    }
    if (tab === 'b' && lab.subject.b === null) {
      this.#tab = 'b';
      this.#events.onConfig('b', { ...lab.subject.a });
    }
    this.#tab = tab;
    for (const [name, button] of Object.entries(this.#tabs)) {
      button.setAttribute('aria-selected', String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
    }
    this.#body.setAttribute('aria-label', tab === 'scenario' ? 'Scenario' : `Configuration ${tab.toUpperCase()}`);
    if (tab === 'scenario') {
      this.#panels.scenario.show(lab.subject);
      this.#body.replaceChildren(...this.#workerChoice(lab), this.#panels.scenario.element);
    } else {
      const config = lab.subject[tab] ?? {};
      this.#panels[tab].show(config);
      this.#body.replaceChildren(this.#panels[tab].element, ...(this.#isFull ? [this.#actions(tab)] : []));
    }
    if (isAsked) {
      this.#tabs[tab].focus();
    }
  }

  #actions(tab: 'a' | 'b'): HTMLElement {
    const name = tab.toUpperCase();
    const copy = make(
      'button',
      { type: 'button', onclick: () => this.#copy.open(name, this.#lab?.subject[tab] ?? {}) },
      `Copy ${name} as code …`,
    );
    const reset = make('button', { type: 'button', onclick: () => this.#reset(tab) }, 'Defaults');
    const row = make('div', { class: 'row actions' }, copy, reset);
    if (tab === 'b') {
      row.append(make('button', { type: 'button', onclick: () => this.#events.onConfig('b', null) }, 'Remove B'));
    }
    return row;
  }

  #reset(tab: 'a' | 'b'): void {
    this.#events.onConfig(tab, {});
    this.#choose(tab, false);
  }

  /** Which worker the stage shows. */
  #workerChoice({ subject }: Lab): HTMLElement[] {
    const { workers } = subject.scenario;
    if (workers === 1) {
      return [];
    }
    const options = Array.from({ length: workers }, (_, index): [string, string] => [
      String(index),
      `worker ${index + 1}`,
    ]);
    const knob = choiceKnob(
      'The stage shows',
      'Each worker has breakers of its own; the score counts all',
      String(this.#worker),
      options,
      (value) => this.#events.onWorker(Number(value)),
    );
    return [make('fieldset', { class: 'group' }, make('legend', {}, 'Stage'), knob.element)];
  }

  /** The hint of the knob in use covers the next ones. Escape hides it, and so does the pointer on another knob. */
  #dismissHints(): void {
    const body = this.#body;
    body.addEventListener('focusin', () => body.classList.remove('quiet'));
    body.addEventListener('pointerover', ({ target }) => {
      if ((target as Element).closest('.knob')?.matches(':not(:focus-within)')) {
        body.classList.add('quiet');
      }
    });
    body.addEventListener('keydown', (event) => {
      const isShown = body.querySelector(`.knobs:not(.quiet) ${HINT_IN_USE}`) !== null;
      if (event.key === 'Escape' && isShown) {
        // The next Escape closes the sheet.
        event.stopPropagation();
        body.classList.add('quiet');
      }
    });
  }

  #arrow(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const tabs = (Object.keys(this.#tabs) as Tab[]).filter(
      (name) => !this.#tabs[name].hidden && (name !== 'b' || this.#lab?.subject.b !== null),
    );
    if (step !== undefined) {
      event.preventDefault();
      this.#choose(tabs[(tabs.indexOf(this.#tab) + step + tabs.length) % tabs.length] as Tab);
    }
  }

  #toggle(isOpen = !this.element.classList.contains('unfolded')): void {
    this.element.classList.toggle('unfolded', isOpen);
    this.#open.setAttribute('aria-expanded', String(isOpen));
    (isOpen ? this.#tabs[this.#tab] : this.#open).focus();
  }
}
