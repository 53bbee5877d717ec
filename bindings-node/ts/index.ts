import { AsyncLocalStorage } from 'node:async_hooks';

import { connect } from '@halfopen/api/backend';
import { useAsyncLocalStorage } from '@halfopen/api/nesting';

import { load } from './load.js';

connect(load());
useAsyncLocalStorage(AsyncLocalStorage);

export * from '@halfopen/api';
