import { rspack } from '@rspack/core';

rspack(
  {
    mode: 'production',
    target: 'node20',
    entry: './server.mjs',
    output: { path: `${import.meta.dirname}/rspack`, filename: 'server.cjs' },
  },
  (error, stats) => {
    console.log(stats?.toString());
    process.exitCode = error || stats.hasErrors() ? 1 : 0;
  },
);
