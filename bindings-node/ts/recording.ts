/** Records calls, so that an incident can be replayed through another configuration. */

import { closeSync, openSync, writeSync } from 'node:fs';

import { CircuitBreaker, InvalidValueError, type Outcome } from '@halfopen/api';

/** A call that was made, or rejected. */
export interface RecordedCall {
  /** When it began, in seconds of the breaker's clock. */
  readonly atSeconds: number;
  /** The name of its circuit. */
  readonly circuit: string;
  /** How long it took; 0 if it was rejected. */
  readonly durationSeconds: number;
  /** How it ended. */
  readonly outcome: Outcome | 'rejected';
  /** The wait that the provider asked for; absent if it asked for none. */
  readonly retryAfterSeconds?: number;
}

const OUTCOMES: readonly RecordedCall['outcome'][] = ['success', 'failure', 'ignored', 'cancelled', 'rejected'];

const MOST = 10_000_000;

/** A call as it is kept: its circuit and its outcome are places in lists. */
type Kept = [began: number, seconds: number, retryAfter: number, circuit: number, outcome: number];

/** How many numbers a call has. */
const NUMBERS = 5;

/** How many lines are written at once. */
const LINES = 1000;

/**
 * Keeps the newest calls of breakers in memory: when each began, its circuit, its duration and its outcome.
 *
 * It stores no arguments, no results and no texts. `python -m halfopen replay` runs what it writes through a
 * configuration.
 *
 * @example
 * ```js
 * const recorder = new Recorder(100_000);
 * recorder.record(breaker);
 * // after the incident
 * recorder.write('incident.jsonl');
 * ```
 */
export class Recorder {
  /** The calls in a ring, in the order of their ends. A typed array, because objects would burden the garbage collector. */
  readonly #calls: Float64Array;
  readonly #names: string[] = [];
  /** How many calls ended since the recorder was made. */
  #count = 0;

  /**
   * An empty recorder.
   *
   * @param bound - the most calls that are kept, 1 to 10,000,000. The oldest go first; each takes 40 bytes, reserved now
   * @throws InvalidValueError for another bound
   */
  constructor(bound = 100_000) {
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= MOST)) {
      throw new InvalidValueError('bound', shown(bound), `a whole number from 1 to ${MOST}`);
    }
    this.#calls = new Float64Array(bound * NUMBERS);
  }

  /**
   * Records the further calls of a breaker.
   *
   * @throws InvalidValueError for a breaker that is recorded already, or that does not record durations, or another value
   */
  record(breaker: CircuitBreaker): void {
    if (!(breaker instanceof CircuitBreaker && breaker.config.recordDurations)) {
      throw new InvalidValueError('breaker', shown(breaker), 'a CircuitBreaker with recordDurations: true');
    }
    const circuit = this.#names.length;
    const isFirst = breaker.observe({
      rejected: (millis) => this.#add(circuit, 'rejected', millis, 0, Number.NaN),
      settled: (outcome, millis, seconds, retryAfter = Number.NaN) =>
        this.#add(circuit, outcome, millis, seconds, retryAfter),
    });
    if (!isFirst) {
      throw new InvalidValueError('breaker', breaker.name, 'one that is not recorded yet');
    }
    this.#names.push(breaker.name);
  }

  /** How many calls it keeps. */
  get size(): number {
    return Math.min(this.#count, this.#calls.length / NUMBERS);
  }

  /** The calls, in the order of their ends. A call that ends meanwhile may take the place of the oldest. */
  *records(): Generator<RecordedCall, void, undefined> {
    const end = this.#count;
    for (let number = end - this.size; number < end; number += 1) {
      const place = this.#placeOf(number);
      const kept = [...this.#calls.subarray(place, place + NUMBERS)] as Kept;
      const [atSeconds, durationSeconds, retryAfterSeconds, circuit, outcome] = kept;
      yield {
        atSeconds,
        circuit: this.#names[circuit] as string,
        durationSeconds,
        outcome: OUTCOMES[outcome] as RecordedCall['outcome'],
        ...(Number.isNaN(retryAfterSeconds) ? {} : { retryAfterSeconds }),
      };
    }
  }

  /** Writes the calls to a file, one line of JSON each with the names of `docs/simulation.md`; returns their number. */
  write(path: string | URL): number {
    const file = openSync(path, 'w');
    try {
      let lines: string[] = [];
      for (const call of this.records()) {
        lines.push(lineOf(call));
        if (lines.length === LINES) {
          writeSync(file, lines.join(''));
          lines = [];
        }
      }
      writeSync(file, lines.join(''));
    } finally {
      closeSync(file);
    }
    return this.size;
  }

  #add(circuit: number, outcome: RecordedCall['outcome'], millis: number, seconds: number, retryAfter: number): void {
    // Without `millis` the core has read the system's clock, so this reads it once more.
    const ended = (Number.isNaN(millis) ? performance.now() : millis) / 1000;
    // One by one, because `set` takes five times as long.
    const place = this.#placeOf(this.#count);
    this.#calls[place] = Math.max(0, ended - seconds);
    this.#calls[place + 1] = seconds;
    this.#calls[place + 2] = retryAfter;
    this.#calls[place + 3] = circuit;
    this.#calls[place + 4] = OUTCOMES.indexOf(outcome);
    this.#count += 1;
  }

  #placeOf(number: number): number {
    return (number * NUMBERS) % this.#calls.length;
  }
}

function lineOf(call: RecordedCall): string {
  const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `${JSON.stringify(Object.fromEntries(Object.entries(call).map(([name, part]) => [snakeCase(name), part])))}\n`;
}

// As in the other classes, an assignment that would be ignored in sloppy mode throws.
Object.defineProperty(Recorder.prototype, 'size', {
  set(value: unknown) {
    throw new InvalidValueError('size', shown(value), 'no assignment; make another Recorder');
  },
});

// This file is an entry of its own, which can import only what the package exports.
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : `(a value of type ${typeof value})`;
}
