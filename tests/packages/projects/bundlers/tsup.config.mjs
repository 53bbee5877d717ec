export default {
  entry: ['server.mjs'],
  target: 'node20',
  // By default tsup bundles only packages in devDependencies.
  noExternal: ['halfopen'],
};
