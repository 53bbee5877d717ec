export default {
  entry: ['server.mjs'],
  target: 'node20',
  // Left to itself, tsup bundles what is among the devDependencies only.
  noExternal: ['halfopen'],
};
