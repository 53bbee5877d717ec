/** The WebAssembly build as a provider. */

import type { Backend, Flat, Provider, Refusal } from './backend.js';

/** What wasm-bindgen makes of the crate. */
interface Glue {
  create(fields: Flat): unknown;
}

/** The provider of an instantiated module. */
export function wasmProvider(glue: Glue): Provider {
  return {
    kind: 'wasm',
    // WebAssembly has no clock of its own, so every circuit is told the time.
    clock: globalThis.performance ?? Date,
    create: (fields) => glue.create(fields) as Backend | Refusal,
  };
}
