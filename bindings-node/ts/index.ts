import { connect } from '@halfopen/api/backend';

import { load } from './load.js';

connect(load());

export * from '@halfopen/api';
