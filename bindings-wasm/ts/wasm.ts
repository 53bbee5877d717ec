/** The WebAssembly build. */

import { type Bytes, circuitsOf, type Provider } from './circuit.js';
import { type TimeSource, UNTOLD } from './time.js';

/** A pointer into the module's memory. */
type Pointer = number;

/** What the crate `halfopen-wasm` exports; each function is described there. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Where the module's own stack ends. Whoever finds V8's stack full never returns, and leaves it where it was. */
  readonly __stack_pointer: WebAssembly.Global<'i32'>;
  wire(): Pointer;
  reserve(wire: Pointer, length: number): void;
  place(wire: Pointer): Pointer;
  latest(): number;
  create(wire: Pointer, seed: number, millis: number): Pointer;
  operate(wire: Pointer, circuit: Pointer, millis: number): void;
  free(circuit: Pointer): void;
  enter(circuit: Pointer): number;
  enter_at(circuit: Pointer, millis: number): number;
  is_timed(circuit: Pointer): number;
  settle(circuit: Pointer, ticket: number, outcome: number): number;
  settle_at(circuit: Pointer, ticket: number, outcome: number, millis: number): number;
  wait(circuit: Pointer): number;
}

/** The provider of an instantiated module, which has no clock of its own: circuits whose user gave none have `time`. */
export function wasmProvider(exports: Exports, time: TimeSource): Provider {
  const { memory, reserve, place, operate } = exports;
  const wire = exports.wire();
  const stack = exports.__stack_pointer;
  const top = stack.value;

  // Anew each time, because the memory may have moved.
  const bytes = () => new Uint8Array(memory.buffer, place(wire));
  const send = (request: Bytes) => {
    // No circuit calls its host, so nobody is on it now.
    stack.value = top;
    reserve(wire, request.length);
    bytes().set(request);
  };

  const circuitOf = circuitsOf({
    enter: exports.enter,
    enterAt: exports.enter_at,
    settle: exports.settle,
    settleAt: exports.settle_at,
    isTimed: exports.is_timed,
    wait: exports.wait,
    operate(circuit, request, millis) {
      send(request);
      operate(wire, circuit, millis);
      return bytes();
    },
    free: exports.free,
  });
  return {
    kind: 'wasm',
    time,
    latest: exports.latest(),
    create(fields, told) {
      const source = told ?? UNTOLD;
      // It may use another circuit, so it is read before anything is sent.
      const millis = source.read();
      send(fields);
      // WebAssembly has no chance of its own, which the jitter of each circuit takes its seed from.
      const circuit = exports.create(wire, Math.random(), millis);
      return circuit === 0 ? bytes() : circuitOf(circuit, source);
    },
  };
}
