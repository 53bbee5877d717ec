/** For a bundler that imports WebAssembly as a module. */

import { connect } from '../circuit.js';
import type { BackendKind } from '../vocabulary.js';
import { type Exports, wasmProvider } from '../wasm.js';
// @ts-expect-error: it will lie beside what is built from this.
import * as module from './halfopen_wasm_bg.wasm';
import { timeOfPage } from './time-of-page.js';

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(module as Exports, timeOfPage));

export * from '../index.js';
