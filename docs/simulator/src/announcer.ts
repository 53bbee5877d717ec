/** Changes of state for screen readers, at most one sentence in three seconds. */

import { clock, make } from './dom.js';
import type { Played } from './played.js';
import { CAUSES, STATES } from './texts.js';

const PAUSE = 3000;

export class Announcer {
  readonly element = make('p', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  #time = 0;
  #silentUntil = 0;

  /** The time has moved; changes of state between are announced if it moved forward. */
  moved(time: number, shown: { name: string; run: Played }[], providers: string[]): void {
    const from = this.#time;
    const now = performance.now();
    if (time <= from || time - from > 100) {
      this.#time = time;
      return;
    }
    if (now < this.#silentUntil) {
      return;
    }
    this.#time = time;
    const passed = shown.flatMap(({ name, run }) =>
      run.report.transitions
        .filter((it) => it.at_seconds > from && it.at_seconds <= time)
        .map((it) => ({ name, ...it })),
    );
    const last = passed.at(-1);
    if (last !== undefined) {
      const others = passed.length > 1 ? ` (and ${passed.length - 1} changes before)` : '';
      const who = shown.length > 1 ? `${last.name}, ` : '';
      this.element.textContent = `${clock(last.at_seconds)}: ${who}circuit to ${providers[last.provider]} is ${STATES[last.to_state]}, ${CAUSES[last.cause] ?? last.cause}${others}`;
      this.#silentUntil = now + PAUSE;
    }
  }
}
