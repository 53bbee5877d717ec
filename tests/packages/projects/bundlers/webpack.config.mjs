export default {
  mode: 'production',
  target: 'node20',
  entry: './server.mjs',
  output: { path: `${import.meta.dirname}/webpack`, filename: 'server.cjs' },
};
