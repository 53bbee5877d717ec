/** The WebAssembly build. */

import { now, refuse } from './asked.js';
import { type Bytes, circuitsOf, type Provider } from './circuit.js';

/** A pointer into the module's memory. */
type Pointer = number;

/** What the crate `halfopen-wasm` exports; each function is described there. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  wire(): Pointer;
  reserve(wire: Pointer, length: number): void;
  place(wire: Pointer): Pointer;
  create(wire: Pointer, seed: number): Pointer;
  operate(wire: Pointer, circuit: Pointer): void;
  free(circuit: Pointer): void;
  enter(circuit: Pointer): number;
  wait(circuit: Pointer): number;
  settle(circuit: Pointer, ticket: number, outcome: number): number;
}

/** What the module imports. */
export const imports = { './asked.js': { now, refuse } };

/** The provider of an instantiated module. */
export function wasmProvider(exports: Exports): Provider {
  const { memory, reserve, place, create, operate, free, enter, wait, settle } = exports;
  const wire = exports.wire();

  // Anew each time, because the memory may have moved.
  const bytes = () => new Uint8Array(memory.buffer, place(wire));
  const send = (request: Bytes) => {
    reserve(wire, request.length);
    bytes().set(request);
  };

  const circuitOf = circuitsOf({
    enter,
    settle: (circuit, ticket, outcome) => settle(circuit, ticket, outcome) !== 0,
    wait,
    operate(circuit, request) {
      send(request);
      operate(wire, circuit);
      return bytes();
    },
    free,
  });
  return {
    kind: 'wasm',
    // WebAssembly has no clock of its own, so every circuit asks for the time.
    clock: globalThis.performance ?? Date,
    create(fields) {
      send(fields);
      // Nor has it chance, which the jitter of each circuit takes its seed from.
      const circuit = create(wire, Math.random());
      return circuit === 0 ? bytes() : circuitOf(circuit);
    },
  };
}
