export default {
  mode: 'production',
  entry: './page.mjs',
  output: { path: `${import.meta.dirname}/webpack-page`, filename: 'page.js' },
};
