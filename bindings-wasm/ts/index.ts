/** The default entry: the module travels inside it. */

import { connect } from '@halfopen/api/backend';
import { pageClock, startWasm } from '@halfopen/api/wasm';

connect(startWasm(pageClock));

export * from '@halfopen/api';
