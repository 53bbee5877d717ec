/** Builds `dist/`: the core as WebAssembly for each kind of host, the TypeScript around it, and its types. */

import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { cargo, optimise, root, run, tool, unlessMade } from './tools.mjs';

const here = join(root, 'bindings-wasm');
const dist = join(here, 'dist');
const WASM = 'halfopen_wasm_bg.wasm';

/**
 * What cargo made. Values of JavaScript cross as indices into a table: where V8 has inlined a call that returns the
 * value itself, and gives up the optimised code meanwhile, it ends the process (Node 20 and 22, Chromium before 126).
 * Without the feature in its rustc flags, and with the mark of it gone that the standard library leaves, wasm-bindgen
 * makes that table.
 */
const [module] = cargo('halfopen-wasm', ['--target', 'wasm32-unknown-unknown', '--release'], {
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: '-C target-feature=-reference-types',
}).filter((path) => path.endsWith('.wasm'));

/** The module and its glue, for a kind of host. */
function bindgen(target) {
  const folder = join(dist, 'glue', target);
  const self = readFileSync(new URL(import.meta.url));
  unlessMade(folder, Buffer.concat([self, readFileSync(module)]), () => {
    const unmarked = join(folder, basename(module));
    optimise(module, unmarked, '-O0', '--strip-target-features');
    run(join(root, 'target/tools/bin/wasm-bindgen'), [unmarked, '--target', target, '--out-dir', folder]);
    rmSync(unmarked);
    const wasm = join(folder, WASM);
    // Measured: optimising for size saves nothing here once gzipped, and costs half of the speed.
    optimise(wasm, wasm, '-O3', '--strip-debug', '--strip-producers', '--strip-target-features');
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
