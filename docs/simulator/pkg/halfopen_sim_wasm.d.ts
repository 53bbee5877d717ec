/* tslint:disable */
/* eslint-disable */

/**
 * A log of real calls.
 */
export class Log {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Reads a log: lines of JSON, or CSV with a header.
     */
    static read(text: string): Log;
    /**
     * Begins a replay. In the best case, calls of unknown outcome succeed; in the worst case they fail.
     */
    start(config: string, is_best_case: boolean): LogReplay;
    /**
     * The records as a JSON list, sorted by their times.
     */
    readonly records: string;
}

/**
 * A replay that stops at any time. Stopping changes nothing.
 */
export class LogReplay {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Runs until this time, in the log's seconds. A time that has passed changes nothing.
     */
    advanceTo(seconds: number): void;
    /**
     * The circuit of this name as JSON; nothing before its first record.
     */
    circuit(name: string): string | undefined;
    /**
     * Runs to the end; returns the result as JSON.
     */
    finish(): string;
    /**
     * For each record that has begun, in the order of `records`: 1 if it is admitted, otherwise 0.
     */
    readonly decisions: Uint8Array;
}

/**
 * A run with its calls, and readings of its circuits over time.
 */
export class Recording {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * For each call: when it began and ended, request, attempt, worker, provider, the number of its fate, and 1 for a
     * probe.
     */
    readonly calls: Float64Array;
    /**
     * For each point of the report's series, worker and provider: severity of the state, failures in a row, and calls,
     * failed and slow ones in the window. Empty without breakers.
     */
    readonly readings: Float64Array;
    /**
     * The report as JSON.
     */
    readonly report: string;
}

/**
 * A run that stops at any time. Stopping changes nothing.
 */
export class Run {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Runs until this time. A time that has passed changes nothing.
     */
    advanceTo(seconds: number): void;
    /**
     * A circuit as JSON; nothing without breakers.
     */
    circuit(worker: number, provider: number): string | undefined;
}

/**
 * A scenario with the clients' way of calling, ready to be run with any configuration.
 */
export class World {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Reads a scenario. `failover` names a strategy; without one only the first provider is called.
     */
    static read(scenario: string, failover: string | null | undefined, count_rate_limits: boolean): World;
    /**
     * Runs it, and keeps the calls and readings of the circuits over time.
     */
    record(config?: string | null): Recording;
    /**
     * Runs it; returns the report as JSON. Without a configuration there are no breakers.
     */
    report(config?: string | null): string;
    /**
     * The same, but only the score.
     */
    score(config?: string | null): string;
    /**
     * Begins a run that stops at any time.
     */
    start(config?: string | null): Run;
}

/**
 * Checks a configuration.
 *
 * # Errors
 * The core's refusal of its first field that is not allowed.
 */
export function checkConfig(config: string): void;

/**
 * The fields of a configuration as a JSON Schema.
 */
export function configSchema(): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_log_free: (a: number, b: number) => void;
    readonly __wbg_logreplay_free: (a: number, b: number) => void;
    readonly __wbg_recording_free: (a: number, b: number) => void;
    readonly __wbg_run_free: (a: number, b: number) => void;
    readonly __wbg_world_free: (a: number, b: number) => void;
    readonly checkConfig: (a: number, b: number) => [number, number];
    readonly configSchema: () => [number, number];
    readonly log_read: (a: number, b: number) => [number, number, number];
    readonly log_records: (a: number) => [number, number];
    readonly log_start: (a: number, b: number, c: number, d: number) => [number, number, number];
    readonly logreplay_advanceTo: (a: number, b: number) => void;
    readonly logreplay_circuit: (a: number, b: number, c: number) => [number, number];
    readonly logreplay_decisions: (a: number) => [number, number];
    readonly logreplay_finish: (a: number) => [number, number];
    readonly recording_calls: (a: number) => [number, number];
    readonly recording_readings: (a: number) => [number, number];
    readonly recording_report: (a: number) => [number, number];
    readonly run_advanceTo: (a: number, b: number) => void;
    readonly run_circuit: (a: number, b: number, c: number) => [number, number];
    readonly world_read: (a: number, b: number, c: number, d: number, e: number) => [number, number, number];
    readonly world_record: (a: number, b: number, c: number) => [number, number, number];
    readonly world_report: (a: number, b: number, c: number) => [number, number, number, number];
    readonly world_score: (a: number, b: number, c: number) => [number, number, number, number];
    readonly world_start: (a: number, b: number, c: number) => [number, number, number];
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
