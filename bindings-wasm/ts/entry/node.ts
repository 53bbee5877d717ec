/** For Node, where a page's package is rendered or tested; the package `halfopen` has a native build. */

import { readFileSync } from 'node:fs';

import { Backend, initSync } from '../../dist/glue/web/halfopen_wasm.js';
import { connect } from '../backend.js';
import { wasmProvider } from '../provider.js';
import type { BackendKind } from '../vocabulary.js';

initSync({ module: readFileSync(new URL('./halfopen_wasm_bg.wasm', import.meta.url)) });

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(Backend));

export * from '../index.js';
