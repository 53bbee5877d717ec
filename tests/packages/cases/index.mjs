/** Every case, by kind. */

import clients from './clients.mjs';
import frameworks from './frameworks.mjs';
import lowering from './lowering.mjs';
import pageBundlers from './page-bundlers.mjs';
import pages from './pages.mjs';
import plain from './plain.mjs';
import published from './published.mjs';
import runtimes from './runtimes.mjs';
import serverBundlers from './server-bundlers.mjs';
import testTools from './test-tools.mjs';
import types from './types.mjs';

export const KINDS = [
  published,
  plain,
  runtimes,
  serverBundlers,
  pageBundlers,
  pages,
  frameworks,
  testTools,
  types,
  lowering,
  clients,
];
