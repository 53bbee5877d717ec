/** Handing transitions to whoever listens: after the change, in order, and without a word to the guarded call. */

import { reportOnce } from './report.js';
import type { TransitionEvent } from './status.js';

/** Called with a transition, and waited for by nobody. What it throws, now or later, is reported, and harms nothing. */
export type TransitionListener = (event: TransitionEvent) => void;

/** Somebody who listens, and what was the last transition before that. */
interface Entry {
  readonly listener: TransitionListener;
  readonly since: number;
}

/** The listeners of one breaker. They are told from what the core has kept, so the core never calls the host. */
export class Listeners {
  readonly #events: (after: number) => TransitionEvent[];
  readonly #listeners = new Set<Entry>();
  readonly #report = reportOnce('a listener of a circuit breaker threw');
  /** Whether anybody listens. */
  listening = false;
  /** What is still to be told: the core keeps no more than the last transitions, and a listener may cause many. */
  readonly #untold: TransitionEvent[] = [];
  #heard = 0;
  #delivering = false;

  constructor(events: (after: number) => TransitionEvent[]) {
    this.#events = events;
  }

  /** Takes a listener in; returns what takes it away, and says whether it was there. */
  add(listener: TransitionListener): () => boolean {
    if (this.listening) {
      this.#collect();
    } else {
      this.#heard = this.#events(0).at(-1)?.sequence ?? 0;
    }
    const entry = { listener, since: this.#heard };
    this.#listeners.add(entry);
    this.listening = true;
    return () => {
      const was = this.#listeners.delete(entry);
      this.listening = this.#listeners.size > 0;
      return was;
    };
  }

  /**
   * Tells what has happened since, unless that is being done already, further up the stack. Never throws: with the stack
   * used up, what is left is told with the next transition.
   */
  deliver(): void {
    if (!this.listening) {
      return;
    }
    const outer = this.#delivering;
    this.#delivering = true;
    try {
      this.#collect();
      for (let event = this.#untold[0]; event !== undefined && !outer; event = this.#untold[0]) {
        this.#untold.shift();
        this.#tellAll(event);
      }
    } catch {
      // Not even a report would have room.
    }
    this.#delivering = outer;
  }

  #collect(): void {
    for (const event of this.#events(this.#heard)) {
      this.#untold.push(event);
      this.#heard = event.sequence;
    }
  }

  #tellAll(event: TransitionEvent): void {
    for (const entry of [...this.#listeners]) {
      // One that was told before it may have taken it away.
      if (entry.since < event.sequence && this.#listeners.has(entry)) {
        this.#tell(entry.listener, event);
      }
    }
  }

  #tell(listener: TransitionListener, event: TransitionEvent): void {
    try {
      const result: unknown = listener(event);
      if (result !== undefined) {
        Promise.resolve(result).catch(this.#report);
      }
    } catch (fault) {
      this.#report(fault);
    }
  }
}
