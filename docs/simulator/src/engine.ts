/** The core's simulation, in WebAssembly, and the documents that it takes and gives. */

// First, because the worker has a copy of the code below: the two compress well side by side.
import workerSource from 'worker-source';
import { decoded } from '../../../bindings-wasm/api/ts/letters.js';
import { checkConfig, configSchema, initSync, Log, World } from '../pkg/halfopen_sim_wasm.js';
import { letters, order } from '../pkg/module.js';

export { checkConfig, Log, World, workerSource };

export type State = 'closed' | 'half_open' | 'open';

/** A configuration by the names of the documentation. Absent fields have their defaults. */
export type ConfigDocument = Record<string, unknown>;

export interface Fault {
  provider: string;
  from_seconds: number;
  to_seconds: number;
  effect: { kind: string; [parameter: string]: string | number };
}

export interface Provider {
  name: string;
  latency: { kind: string; [parameter: string]: string | number };
  failure_rate?: number;
  capacity?: number | null;
}

export interface ScenarioDocument {
  seed: number;
  seconds: number;
  workers: number;
  clients: {
    per_second: number;
    arrivals: { kind: string; size?: number };
    timeout_seconds: number;
    deadline_seconds?: number | null;
    retries: number;
    backoff_seconds: number;
  };
  providers: Provider[];
  faults: Fault[];
}

export interface Score {
  failed_requests: number;
  seconds_to_open: number | null;
  seconds_to_recover: number | null;
  not_closed_at_end: number;
  wasted_calls: number;
  refused_in_vain: number;
  calls_per_request: number;
  latency_seconds: [number, number, number] | null;
}

export interface Transition {
  at_seconds: number;
  worker: number;
  provider: number;
  from_state: State;
  to_state: State;
  cause: string;
  explanation: string;
}

export interface Point {
  answered: number;
  failed: number;
  refused: number;
  latency_seconds: number;
  not_closed: number;
}

export interface Report {
  requests: number;
  answered: number;
  failed: number;
  refused: number;
  score: Score;
  transitions: Transition[];
  transition_count: number;
  step_seconds: number;
  series: Point[];
}

export interface CircuitView {
  state: State;
  mode: string;
  explanation: string;
  retry_after_seconds: number | null;
  consecutive_failures: number;
  consecutive_successes: number;
  probe_slots: number;
  probes_reclaimed_in_seconds: number | null;
  window: { calls: number; failed: number; slow: number; cells: string; buckets: [number, number, number][] };
}

export interface LogRecord {
  at_seconds: number;
  circuit: string;
  duration_seconds: number;
  outcome: 'success' | 'failure' | 'ignored' | 'cancelled' | 'rejected';
}

export interface Replayed {
  admitted: number;
  spared_failures: number;
  refused_in_vain: number;
  still_rejected: number;
  unknown: number;
  spared_seconds: number;
  first_difference: number | null;
  transitions: (Omit<Transition, 'worker' | 'provider'> & { circuit: string })[];
}

/** The core's refusal of a value. */
export interface Refusal extends Error {
  field: string;
  allowed: string;
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'field' in error && 'allowed' in error;
}

/** A field of the configuration's JSON Schema. */
export interface FieldSchema {
  type?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  anyOf?: FieldSchema[];
  default: unknown;
  description: string;
}

let module: Promise<WebAssembly.Module> | undefined;
let fields: Record<string, FieldSchema> | undefined;

/** The compiled module, which a worker can start as well. */
export function compiled(): Promise<WebAssembly.Module> {
  module ??= WebAssembly.compile(decoded(order, letters));
  return module;
}

/** Starts the simulation; call it before anything else of this module. */
export async function start(): Promise<void> {
  initSync({ module: await compiled() });
  fields ??= JSON.parse(configSchema()).properties as Record<string, FieldSchema>;
}

/** The fields of a configuration, in the order of the documentation. */
export function configFields(): Record<string, FieldSchema> {
  return fields ?? {};
}

/** The value of a field: that of the configuration, or the default. */
export function fieldOf(config: ConfigDocument, name: string): unknown {
  return config[name] !== undefined ? config[name] : configFields()[name]?.default;
}
