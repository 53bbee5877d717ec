/** One configuration in one scenario. */

import { Calls } from './calls.js';
import type { CircuitView, ConfigDocument, Report, World } from './engine.js';
import type { Played, Reading } from './played.js';

/** The numbers of a reading. */
const NUMBERS = 5;

export class Run implements Played {
  readonly config: ConfigDocument | null;
  readonly report: Report;
  readonly calls: Calls;
  readonly #world: World;
  readonly #readings: Float64Array;
  readonly #providers: number;
  #cursor: ReturnType<World['start']> | undefined;
  #cursorTime = 0;

  /** Runs the scenario; throws the core's refusal of the configuration. */
  constructor(world: World, config: ConfigDocument | null, providers: number) {
    const recording = world.record(config === null ? undefined : JSON.stringify(config));
    this.#world = world;
    this.config = config;
    this.report = JSON.parse(recording.report) as Report;
    this.calls = Calls.of(recording.calls);
    this.#readings = recording.readings;
    this.#providers = providers;
    recording.free();
  }

  /** Advances a run of its own from the last time, or starts it again if the time is earlier. */
  circuitAt(time: number, worker: number, provider: number): CircuitView | undefined {
    if (this.config === null) {
      return undefined;
    }
    if (this.#cursor === undefined || time < this.#cursorTime) {
      this.#cursor?.free();
      this.#cursor = this.#world.start(JSON.stringify(this.config));
    }
    this.#cursor.advanceTo(time);
    this.#cursorTime = time;
    const view = this.#cursor.circuit(worker, provider);
    return view === undefined ? undefined : (JSON.parse(view) as CircuitView);
  }

  readings(worker: number, provider: number): Reading[] {
    const readings: Reading[] = [];
    const stride = this.#readings.length / this.report.series.length;
    for (let at = (worker * this.#providers + provider) * NUMBERS; at < this.#readings.length; at += stride) {
      const [severity = 0, failures = 0, calls = 0, failed = 0, slow = 0] = this.#readings.subarray(at, at + NUMBERS);
      readings.push({ severity, failures, calls, failed, slow });
    }
    return readings;
  }

  free(): void {
    this.#cursor?.free();
    this.#cursor = undefined;
  }
}
