/** One configuration on the calls of a log. */

import { type Call, Calls, type Fate } from './calls.js';
import {
  type CircuitView,
  type ConfigDocument,
  Log,
  type LogRecord,
  type Point,
  type Replayed,
  type Report,
} from './engine.js';
import type { Played, Reading } from './played.js';
import type { Case } from './scenarios.js';

/** Later than any call of a log can end. */
const LATEST = 1e10;

/** The points of a series, as many as the core's reports have. */
const POINTS = 240;

/** A log that was dropped on the page. */
export class DroppedLog {
  readonly name: string;
  readonly text: string;
  readonly log: Log;
  readonly records: LogRecord[];
  /** The circuits, in the order of their first calls. */
  readonly circuits: string[];
  /** When its first call began, in its own seconds. */
  readonly origin: number;
  readonly seconds: number;

  /** Throws the core's refusal of a line. */
  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
    this.log = Log.read(text);
    this.records = JSON.parse(this.log.records) as LogRecord[];
    this.circuits = [...new Set(this.records.map(({ circuit }) => circuit))];
    this.origin = Math.floor(this.records[0]?.at_seconds ?? 0);
    const end = this.records.reduce(
      (latest, { at_seconds, duration_seconds }) => Math.max(latest, at_seconds + duration_seconds),
      this.origin,
    );
    this.seconds = Math.max(1, Math.ceil(end - this.origin));
  }

  /** The log as a scenario without clients, for the parts of the page that show either. */
  subject(a: ConfigDocument, b: ConfigDocument | null): Case {
    const providers = this.circuits.map((name) => ({ name, latency: { kind: 'fixed', seconds: 1 } }));
    const clients = {
      per_second: this.records.length / this.seconds,
      arrivals: { kind: 'steady' },
      timeout_seconds: 1,
      retries: 0,
      backoff_seconds: 0,
    };
    return {
      id: 'log',
      title: this.name,
      question: 'When would it have opened, and what would it have refused?',
      notice:
        'A recorded call that was rejected then was never made, so nobody knows how it would have ended. Where a configuration admits such calls, the table shows the best and the worst case.',
      speed: Math.max(1, Math.round(this.seconds / 30)),
      failover: 'priority_list',
      count_rate_limits: false,
      a,
      b,
      scenario: { seed: 0, seconds: this.seconds, workers: 1, clients, providers, faults: [] },
    };
  }
}

export class LogRun implements Played {
  readonly config: ConfigDocument;
  readonly report: Report;
  readonly calls: Calls;
  readonly best: Replayed;
  readonly worst: Replayed;
  readonly #dropped: DroppedLog;
  #cursor: ReturnType<Log['start']> | undefined;
  #cursorTime = 0;

  constructor(dropped: DroppedLog, config: ConfigDocument) {
    const text = JSON.stringify(config);
    const replay = dropped.log.start(text, true);
    replay.advanceTo(LATEST);
    const decisions = replay.decisions;
    this.config = config;
    this.#dropped = dropped;
    this.best = JSON.parse(replay.finish()) as Replayed;
    this.worst = JSON.parse(dropped.log.start(text, false).finish()) as Replayed;
    const { records, circuits, origin } = dropped;
    const calls = records.map((record, index): Call => {
      const from = record.at_seconds - origin;
      const isAdmitted = decisions[index] === 1;
      const to = isAdmitted ? from + record.duration_seconds : from;
      return {
        from,
        to,
        request: index,
        attempt: 0,
        worker: 0,
        provider: circuits.indexOf(record.circuit),
        fate: fateOf(record, isAdmitted),
        isProbe: false,
      };
    });
    this.report = reportOf(dropped, calls, this.best);
    this.calls = new Calls(calls);
  }

  circuitAt(time: number, _worker: number, provider: number): CircuitView | undefined {
    if (this.#cursor === undefined || time < this.#cursorTime) {
      this.#cursor?.free();
      this.#cursor = this.#dropped.log.start(JSON.stringify(this.config), true);
    }
    this.#cursor.advanceTo(time + this.#dropped.origin);
    this.#cursorTime = time;
    const view = this.#cursor.circuit(this.#dropped.circuits[provider] ?? '');
    return view === undefined ? undefined : (JSON.parse(view) as CircuitView);
  }

  readings(worker: number, provider: number): Reading[] {
    const severities = { closed: 0, half_open: 1, open: 2 };
    return this.report.series.map((_, index) => {
      const view = this.circuitAt((index + 1) * this.report.step_seconds, worker, provider);
      const { calls, failed, slow } = view?.window ?? { calls: 0, failed: 0, slow: 0 };
      return {
        severity: severities[view?.state ?? 'closed'],
        failures: view?.consecutive_failures ?? 0,
        calls,
        failed,
        slow,
      };
    });
  }

  free(): void {
    this.#cursor?.free();
    this.#cursor = undefined;
  }
}

function fateOf({ outcome }: LogRecord, isAdmitted: boolean): Fate {
  if (!isAdmitted) {
    return outcome === 'failure' || outcome === 'rejected' ? 'rejected' : 'rejected_in_vain';
  }
  const fates: Record<LogRecord['outcome'], Fate> = {
    success: 'answered',
    failure: 'failed',
    ignored: 'ignored',
    cancelled: 'ignored',
    rejected: 'unknown',
  };
  return fates[outcome];
}

/** The log in the shape of a simulated report; its score is empty. */
function reportOf({ seconds, circuits, origin }: DroppedLog, calls: Call[], best: Replayed): Report {
  const step = seconds / POINTS;
  const series = Array.from(
    { length: POINTS },
    (): Point => ({ answered: 0, failed: 0, refused: 0, latency_seconds: 0, not_closed: 0 }),
  );
  for (const { from, to, fate } of calls) {
    const point = series[Math.min(POINTS - 1, Math.floor(to / step))] as Point;
    const end = { answered: 'answered', failed: 'failed', rejected: 'refused', rejected_in_vain: 'refused' }[
      fate as string
    ] as keyof Point | undefined;
    if (end !== undefined) {
      point[end] += 1;
    }
    point.latency_seconds += fate === 'answered' ? to - from : 0;
  }
  const transitions = best.transitions.map(({ circuit, at_seconds, ...change }) => ({
    ...change,
    at_seconds: at_seconds - origin,
    worker: 0,
    provider: circuits.indexOf(circuit),
  }));
  return {
    requests: calls.length,
    answered: 0,
    failed: 0,
    refused: 0,
    score: {
      failed_requests: 0,
      seconds_to_open: null,
      seconds_to_recover: null,
      not_closed_at_end: 0,
      wasted_calls: 0,
      refused_in_vain: 0,
      calls_per_request: 1,
      latency_seconds: null,
    },
    transitions,
    transition_count: transitions.length,
    step_seconds: step,
    series,
  };
}
