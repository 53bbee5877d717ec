/**
 * Builds the page into `target/simulator/`: one script with the simulation inside, so that it works offline, from a
 * subfolder, and from a file.
 */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';
import { minifySync } from 'oxc-minify';

import { lettersOf } from '../../bindings-wasm/scripts/letters.mjs';
import { cargo, optimise, root, run, tool } from '../../bindings-wasm/scripts/tools.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const pkg = join(here, 'pkg');
const out = join(root, 'target/simulator');

if (!process.argv.includes('--keep-module')) {
  buildModule();
}
run(tool('tsc'), ['-p', here]);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const options = {
  bundle: true,
  minify: true,
  target: 'es2022',
  format: 'iife',
  logLevel: 'warning',
  loader: { '.css': 'text' },
  legalComments: 'none',
};
const worker = await build({ ...options, entryPoints: [join(here, 'src/worker.ts')], write: false });
const script = join(out, 'halfopen-sim.js');
const workerSource = {
  name: 'worker-source',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^worker-source$/ }, ({ path }) => ({ path, namespace: 'worker-source' }));
    onLoad({ filter: /.*/, namespace: 'worker-source' }, () => ({
      contents: minified(worker.outputFiles[0].text),
      loader: 'text',
    }));
  },
};
const minifiedCss = {
  name: 'minified-css',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({ entryPoints: [path], minify: true, write: false, target: 'chrome123' });
      return { contents: outputFiles[0].text, loader: 'text' };
    });
  },
};
await build({
  ...options,
  entryPoints: [join(here, 'src/element.ts')],
  outfile: script,
  plugins: [workerSource, minifiedCss],
});
writeFileSync(script, minified(readFileSync(script, 'utf8')));
for (const file of ['index.html', 'tokens.css']) {
  copyFileSync(join(here, file), join(out, file));
}
const sizes = ['index.html', 'tokens.css', 'halfopen-sim.js'].map(
  (file) => gzipSync(readFileSync(join(out, file)), { level: 9 }).length,
);
const total = sizes.reduce((sum, size) => sum + size, 0);
console.log(`simulator: ${total} bytes gzipped, of which the script has ${sizes.at(-1)}`);

/** Minifies a script once more that esbuild has minified, which saves 2 KB. */
function minified(script) {
  const { code, errors } = minifySync('script.js', script, { compress: { target: 'es2022' }, mangle: true });
  if (errors.length > 0) {
    throw new Error(errors.map(({ message }) => message).join('\n'));
  }
  return code;
}

/** Compiles the simulation to WebAssembly, and writes it as text beside its JavaScript. */
function buildModule() {
  const [linked] = cargo('halfopen-sim-wasm', ['--target', 'wasm32-unknown-unknown', '--profile', 'wasm-sim']).filter(
    (path) => path.endsWith('.wasm'),
  );
  const bindgen = join(root, 'target/tools/bin/wasm-bindgen');
  run(bindgen, ['--target', 'web', '--omit-default-module-path', '--out-dir', pkg, linked]);
  const bound = join(pkg, 'halfopen_sim_wasm_bg.wasm');
  optimise(
    bound,
    bound,
    '-Oz',
    '--flatten',
    '--rereloop',
    '-Oz',
    '--converge',
    '--gufa',
    '-Oz',
    // The linker puts the stack first, so the first kilobyte is its far end and holds no data.
    '--low-memory-unused',
    '--strip-debug',
    '--strip-producers',
    '--strip-target-features',
  );
  const { order, letters } = lettersOf(readFileSync(bound));
  writeFileSync(join(pkg, 'module.js'), `export const order = [${order}];\nexport const letters = "${letters}";\n`);
  writeFileSync(
    join(pkg, 'module.d.ts'),
    'export declare const order: readonly number[];\nexport declare const letters: string;\n',
  );
}
