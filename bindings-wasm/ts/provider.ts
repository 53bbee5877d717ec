/** The WebAssembly build as a provider. */

import type { Backend, Flat, Provider, Refusal } from './backend.js';

/** What wasm-bindgen makes of the crate. */
interface Glue {
  create(fields: Flat, seed: number): unknown;
}

/** The provider of an instantiated module. */
export function wasmProvider(glue: Glue): Provider {
  return {
    kind: 'wasm',
    // WebAssembly has no clock of its own, so every circuit is told the time.
    clock: globalThis.performance ?? Date,
    // Nor has it chance, which the jitter of each circuit takes its seed from.
    create: (fields) => glue.create(fields, Math.random()) as Backend | Refusal,
  };
}
