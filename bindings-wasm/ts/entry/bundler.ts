/** For a bundler that imports WebAssembly as a module. */

import { connect } from '../backend.js';
import { wasmProvider } from '../provider.js';
import type { BackendKind } from '../vocabulary.js';
// @ts-expect-error: the glue has its types where it is made, not where it will lie.
import { Backend } from './halfopen_wasm.js';

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(Backend));

export * from '../index.js';
