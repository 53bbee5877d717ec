/** Builds `dist/`: the core as WebAssembly for each kind of host, the TypeScript around it, and its types. */

import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { cargo, optimise, root, run, tool } from './tools.mjs';

const here = join(root, 'bindings-wasm');
const dist = join(here, 'dist');
const WASM = 'halfopen_wasm_bg.wasm';
const HOSTS = ['web', 'node', 'bundler'];

/** An entry as one file. */
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

for (const name of [...HOSTS, 'types']) {
  rmSync(join(dist, name), { recursive: true, force: true });
}
await Promise.all([
  entry('web', { minify: true }),
  entry('node', { platform: 'node' }),
  // The module imports whose clock is asked, so a bundler must find one file for both.
  entry('bundler', { external: ['./asked.js', `./${WASM}`] }),
  build({ entryPoints: [join(here, 'ts/asked.ts')], outdir: join(dist, 'bundler'), target: 'es2022' }),
]);

const options = ['--target', 'wasm32-unknown-unknown', '--profile', 'wasm'];
const [module] = cargo('halfopen-wasm', options).filter((path) => path.endsWith('.wasm'));
for (const host of HOSTS) {
  mkdirSync(join(dist, host), { recursive: true });
}
optimise(module, join(dist, 'web', WASM), '-O3', '--strip-debug', '--strip-producers', '--strip-target-features');
for (const host of HOSTS.filter((name) => name !== 'web')) {
  copyFileSync(join(dist, 'web', WASM), join(dist, host, WASM));
}
run(tool('tsc'), ['-p', here]);

for (const file of [`web/${WASM}`, 'web/index.js']) {
  const bytes = readFileSync(join(dist, file));
  console.log(`${file}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}
