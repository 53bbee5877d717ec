/** `<halfopen-sim>`: the simulator as an element. With the attribute `full` it is the whole page. */

import tokens from '../tokens.css';
import { make } from './dom.js';
import { isRefusal, start } from './engine.js';
import { type Linked, linkedIn } from './link.js';
import { caseOf } from './scenarios.js';
import { type Options, Simulator } from './simulator.js';
import style from './style.css';

/**
 * Attributes, all optional:
 * - `scenario`: the id of a scenario.
 * - `a`, `b`: fields that differ from the scenario's configurations, as JSON; `b="none"` for no comparison.
 * - `seed`, `speed`: numbers.
 * - `knobs`: the names of the fields to show, separated by spaces; none are shown without it.
 * - `score`: shows the score, and what to notice.
 * - `full`: everything, and the scenario in the page's address.
 */
class HalfopenSim extends HTMLElement {
  #simulator: Simulator | undefined;

  async connectedCallback(): Promise<void> {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.replaceChildren(make('style', {}, tokens, style));
    const isFull = this.hasAttribute('full');
    const message = make('p', { class: 'message', role: 'alert' });
    try {
      await start();
      const linked = this.#linked(message);
      const knobs = this.getAttribute('knobs')?.split(/\s+/).filter(Boolean) ?? [];
      const options = { isFull, knobs, hasScore: this.hasAttribute('score') };
      this.#simulator = this.#started(linked, options, message);
      root.append(message, this.#simulator.element);
      this.#simulator.connected();
    } catch (error) {
      root.append(message);
      message.textContent = `The simulation could not start: ${error instanceof Error ? error.message : error}`;
      throw error;
    }
    this.dispatchEvent(new CustomEvent('ready'));
  }

  disconnectedCallback(): void {
    this.#simulator?.free();
    this.#simulator = undefined;
  }

  /** A link may hold anything, so a refusal of the core is reported, and the first scenario is shown. */
  #started(linked: Linked, options: Options, message: HTMLElement): Simulator {
    try {
      return new Simulator(linked, options);
    } catch (error) {
      message.textContent = isRefusal(error)
        ? `This link is refused: ${error.message}`
        : 'This link is damaged. The first scenario is shown.';
      return new Simulator({ subject: caseOf(null), view: 'a' }, options);
    }
  }

  #linked(message: HTMLElement): Linked {
    try {
      return (this.hasAttribute('full') ? linkedIn(location.hash) : undefined) ?? this.fromAttributes();
    } catch (error) {
      message.textContent = error instanceof Error ? error.message : String(error);
      return this.fromAttributes();
    }
  }

  fromAttributes(): Linked {
    const subject = caseOf(this.getAttribute('scenario'));
    const fields = (name: string) => JSON.parse(this.getAttribute(name) ?? '{}') as object;
    subject.a = { ...subject.a, ...fields('a') };
    if (this.getAttribute('b') === 'none') {
      subject.b = null;
    } else if (this.hasAttribute('b')) {
      subject.b = { ...subject.b, ...fields('b') };
    }
    const number = (name: string, missing: number) => Number(this.getAttribute(name) ?? missing);
    subject.scenario.seed = number('seed', subject.scenario.seed);
    subject.speed = number('speed', subject.speed);
    return { subject, view: subject.b === null || this.getAttribute('view') === 'a' ? 'a' : 'both' };
  }
}

customElements.define('halfopen-sim', HalfopenSim);
