/** Handing transitions to whoever listens: after the change, in order, and without a word to the guarded call. */

import { reportOnce } from './report.js';
import type { TransitionEvent } from './status.js';

/** Called with a transition, and waited for by nobody. What it throws, now or later, is reported, and harms nothing. */
export type TransitionListener = (event: TransitionEvent) => void;

/** The listeners of one breaker. They are told from what the core has kept, so the core never calls the host. */
export class Listeners {
  readonly #events: (after: number) => TransitionEvent[];
  readonly #listeners = new Set<{ readonly listener: TransitionListener }>();
  readonly #report = reportOnce('a listener of a circuit breaker threw');
  /** Whether anybody listens. */
  listening = false;
  #heard = 0;
  #delivering = false;

  constructor(events: (after: number) => TransitionEvent[]) {
    this.#events = events;
  }

  /** Takes a listener in; returns what takes it away, and says whether it was there. */
  add(listener: TransitionListener): () => boolean {
    if (!this.listening) {
      this.#heard = this.#events(0).at(-1)?.sequence ?? 0;
    }
    const entry = { listener };
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
    if (!this.listening || this.#delivering) {
      return;
    }
    this.#delivering = true;
    try {
      for (let event = this.#next(); event !== undefined; event = this.#next()) {
        this.#heard = event.sequence;
        for (const { listener } of [...this.#listeners]) {
          this.#tell(listener, event);
        }
      }
    } catch {
      // Not even a report would have room.
    }
    this.#delivering = false;
  }

  #next(): TransitionEvent | undefined {
    return this.#events(this.#heard)[0];
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
