/** The runs that the page plays: a simulation, or the replay of a log. */

import type { Calls } from './calls.js';
import type { CircuitView, ConfigDocument, Report, Transition } from './engine.js';

/** A reading of a circuit at the end of a step of the series. */
export interface Reading {
  severity: number;
  failures: number;
  calls: number;
  failed: number;
  slow: number;
}

/** A span of a circuit's life in one state. */
export interface Span {
  from: number;
  to: number;
  state: Transition['to_state'];
  cause: string;
}

export interface Played {
  /** `null` without breakers. */
  readonly config: ConfigDocument | null;
  readonly report: Report;
  readonly calls: Calls;
  /** A circuit at a time; undefined without breakers, or before a circuit of a log has begun. */
  circuitAt(time: number, worker: number, provider: number): CircuitView | undefined;
  /** The readings of a circuit, one for each step of the series. */
  readings(worker: number, provider: number): Reading[];
  /** Gives back the memory of the module. */
  free(): void;
}

/** The changes of one circuit, oldest first. */
export function transitionsOf(played: Played, worker: number, provider: number): readonly Transition[] {
  return played.report.transitions.filter((it) => it.worker === worker && it.provider === provider);
}

/** The states of a circuit over a run of this length. */
export function spansOf(played: Played, worker: number, provider: number, seconds: number): Span[] {
  const spans: Span[] = [{ from: 0, to: seconds, state: 'closed', cause: '' }];
  for (const { at_seconds, to_state, cause } of transitionsOf(played, worker, provider)) {
    const last = spans[spans.length - 1] as Span;
    last.to = Math.min(at_seconds, seconds);
    if (at_seconds < seconds) {
      spans.push({ from: at_seconds, to: seconds, state: to_state, cause });
    }
  }
  return spans;
}
