/** Builds `dist/`: this platform's addon, the WebAssembly that stands in for it elsewhere, the entries and the types. */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { cargo, root, run, tool } from '../../bindings-wasm/scripts/tools.mjs';

const here = join(root, 'bindings-node');
const dist = join(here, 'dist');

// The fallback first.
await import('../../bindings-wasm/scripts/build.mjs');
const addon = cargo('halfopen-node', ['--release']).find((path) => /\.(so|dylib)$/.test(path));

/** This platform in the words that the loader uses. */
function target() {
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl';
  return [process.platform, process.arch, ...(process.platform === 'linux' ? [libc] : [])].join('-');
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(addon, join(dist, `halfopen.${target()}.node`));
copyFileSync(join(root, 'bindings-wasm/dist/web/halfopen_wasm_bg.wasm'), join(dist, 'halfopen_wasm_bg.wasm'));
await build({
  entryPoints: [join(here, 'ts/index.ts')],
  outfile: join(dist, 'index.cjs'),
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
});
// The entry for `import` only passes on: there is one instance of everything, whichever way it is loaded.
writeFileSync(join(dist, 'index.mjs'), "export * from './index.cjs';\n");
writeFileSync(join(dist, 'index.d.mts'), "export * from './types/bindings-node/ts/index.js';\n");
run(tool('tsc'), ['-p', here]);
