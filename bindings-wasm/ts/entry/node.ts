/** For Node, where a page's package is rendered or tested; the package `halfopen` has a native build. */

import { readFileSync } from 'node:fs';

import { connect } from '../circuit.js';
import type { BackendKind } from '../vocabulary.js';
import { type Exports, wasmProvider } from '../wasm.js';
import { timeOfNode } from './time-of-node.js';

const module = new WebAssembly.Module(readFileSync(new URL('./halfopen_wasm_bg.wasm', import.meta.url)));
const { exports } = new WebAssembly.Instance(module);

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(exports as unknown as Exports, timeOfNode));

export * from '../index.js';
