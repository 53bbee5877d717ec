/** For a page: `<script type="module">`, or a bundler that knows `new URL(…, import.meta.url)`. */

import { connect } from '../circuit.js';
import type { BackendKind } from '../vocabulary.js';
import { type Exports, wasmProvider } from '../wasm.js';
import { timeOfPage } from './time-of-page.js';

const module = await fetch(new URL('./halfopen_wasm_bg.wasm', import.meta.url));
// Not streamed: that wants a server which knows the type of the file, and is no faster for one so small.
const { instance } = await WebAssembly.instantiate(await module.arrayBuffer());

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(instance.exports as unknown as Exports, timeOfPage));

export * from '../index.js';
