/** Delivers transitions to listeners, after the change and in order. Their errors never reach the guarded call. */

import { EVENTS_KEPT } from './codes.js';
import { reportOnce } from './report.js';
import type { TransitionEvent } from './status.js';

/** Called with each transition; its result is not awaited. Its errors and rejections are reported as a warning. */
export type TransitionListener = (event: TransitionEvent) => void;

interface Entry {
  readonly listener: TransitionListener;
  /** The sequence number of the last transition before it was added. */
  readonly since: number;
}

/** The listeners of one breaker. Events are fetched from the core's record, so the core never calls the host. */
export class Listeners {
  readonly #entries = new Set<Entry>();
  readonly #report = reportOnce('a listener of a circuit breaker threw');
  /** Fetched, not delivered yet. The core keeps only the last transitions, and a listener may cause many. */
  readonly #pending: TransitionEvent[] = [];
  #fetched = 0;
  /** How many other threads made beyond those that the core keeps, while this thread was busy. */
  missed = 0;
  #isDelivering = false;
  #unwatch: (() => void) | undefined;
  /** Kept here, because nothing else does. */
  readonly #wake = () => this.deliver();

  /** `watch` calls back when another thread has changed the circuit. */
  constructor(
    private readonly eventsAfter: (sequence: number) => TransitionEvent[],
    private readonly watch?: (wake: () => void) => () => void,
  ) {}

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Adds a listener; returns a function that removes it and tells whether it was still there. */
  add(listener: TransitionListener): () => boolean {
    if (this.isEmpty) {
      // First, so that no transition of another thread falls between the two.
      this.#unwatch = this.watch?.(this.#wake);
      this.#fetched = this.eventsAfter(0).at(-1)?.sequence ?? 0;
    } else {
      this.#fetch();
    }
    const entry = { listener, since: this.#fetched };
    this.#entries.add(entry);
    return () => {
      const wasThere = this.#entries.delete(entry);
      if (this.isEmpty) {
        this.#unwatch?.();
        this.#unwatch = undefined;
      }
      return wasThere;
    };
  }

  /** Delivers new transitions, unless a caller further up the stack is already delivering. Never throws. */
  deliver(): void {
    if (this.isEmpty) {
      return;
    }
    const isNested = this.#isDelivering;
    this.#isDelivering = true;
    try {
      this.#fetch();
      while (!isNested && this.#pending.length > 0) {
        this.#notifyAll(this.#pending.shift() as TransitionEvent);
      }
    } catch {
      // The stack is full. The rest is delivered with the next transition.
    }
    this.#isDelivering = isNested;
  }

  #fetch(): void {
    const events = this.eventsAfter(this.#fetched);
    if (events.length === EVENTS_KEPT) {
      this.missed += (events[0] as TransitionEvent).sequence - this.#fetched - 1;
    }
    for (const event of events) {
      this.#pending.push(event);
      this.#fetched = event.sequence;
    }
  }

  #notifyAll(event: TransitionEvent): void {
    // A listener that another one adds meanwhile is skipped, and one that another one removes is not visited.
    for (const { listener, since } of this.#entries) {
      if (since < event.sequence) {
        this.#notify(listener, event);
      }
    }
  }

  #notify(listener: TransitionListener, event: TransitionEvent): void {
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
