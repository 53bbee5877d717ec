/** Builds `dist/`: the core as WebAssembly for each kind of host, the TypeScript around it, and its types. */

import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { cargo, root, run, tool, unlessMade } from './tools.mjs';

const here = join(root, 'bindings-wasm');
const dist = join(here, 'dist');
const WASM = 'halfopen_wasm_bg.wasm';

/** What wasm-bindgen and the compiler use; every browser that has `FinalizationRegistry` has these. */
const FEATURES = [
  'bulk-memory',
  'mutable-globals',
  'multivalue',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
];

const [module] = cargo('halfopen-wasm', '--target', 'wasm32-unknown-unknown', '--release').filter((path) =>
  path.endsWith('.wasm'),
);

/** The module and its glue, for a kind of host. */
function bindgen(target) {
  const folder = join(dist, 'glue', target);
  const self = readFileSync(new URL(import.meta.url));
  unlessMade(folder, Buffer.concat([self, readFileSync(module)]), () => {
    run(join(root, 'target/tools/bin/wasm-bindgen'), [module, '--target', target, '--out-dir', folder]);
    const strip = ['--strip-debug', '--strip-producers', '--strip-target-features'];
    const wasm = join(folder, WASM);
    // Measured: optimising for size saves nothing here once gzipped, and costs half of the speed.
    run(tool('wasm-opt'), ['-O3', ...FEATURES.map((feature) => `--enable-${feature}`), ...strip, wasm, '-o', wasm]);
  });
  return folder;
}

const web = bindgen('web');
const bundler = bindgen('bundler');

const entry = (name, options) =>
  build({
    entryPoints: [join(here, `ts/entry/${name}.ts`)],
    outfile: join(dist, name, 'index.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
    ...options,
  });

for (const name of ['web', 'bundler', 'node', 'types']) {
  rmSync(join(dist, name), { recursive: true, force: true });
}
await Promise.all([
  entry('web', { minify: true }),
  entry('node', { platform: 'node' }),
  // The module imports its own glue, so a bundler must find one glue for both.
  entry('bundler', { external: ['./halfopen_wasm.js'] }),
]);
copyFileSync(join(web, WASM), join(dist, 'web', WASM));
copyFileSync(join(web, WASM), join(dist, 'node', WASM));
for (const file of [WASM, 'halfopen_wasm.js', 'halfopen_wasm_bg.js']) {
  copyFileSync(join(bundler, file), join(dist, 'bundler', file));
}
run(tool('tsc'), ['-p', here]);

for (const file of [`web/${WASM}`, 'web/index.js']) {
  const bytes = readFileSync(join(dist, file));
  console.log(`${file}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}
