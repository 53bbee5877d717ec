/** For a page: `<script type="module">`, or a bundler that knows `new URL(…, import.meta.url)`. */

import init, { Backend } from '../../dist/glue/web/halfopen_wasm.js';
import { connect } from '../backend.js';
import { wasmProvider } from '../provider.js';
import type { BackendKind } from '../vocabulary.js';

await init();

/** Which build of the core is in use. */
export const backend: BackendKind = connect(wasmProvider(Backend));

export * from '../index.js';
