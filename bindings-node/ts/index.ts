import { connect } from '../../bindings-wasm/ts/circuit.js';
import type { BackendKind } from '../../bindings-wasm/ts/vocabulary.js';
import { load } from './load.js';

/** Which build of the core is in use. The environment variable `HALFOPEN_BACKEND` (`native` or `wasm`) forces one. */
export const backend: BackendKind = connect(load());

export * from '../../bindings-wasm/ts/index.js';
