/** The entry for hosts that forbid compiling bytes (edge runtimes): they import the module compiled. */

import { connect } from '@halfopen/api/backend';
import { pageClock, startModule } from '@halfopen/api/wasm';
// @ts-expect-error: the build puts it beside the output of this file.
import module from './halfopen.wasm?module';

connect(startModule(module as WebAssembly.Module, pageClock));

export * from '@halfopen/api';
