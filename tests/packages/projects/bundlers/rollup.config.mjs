import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';

export default {
  input: 'server.mjs',
  output: { dir: 'rollup', format: 'es', entryFileNames: '[name].mjs' },
  plugins: [resolve({ preferBuiltins: true }), commonjs()],
};
