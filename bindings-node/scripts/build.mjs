/**
 * Builds `dist/`: one file that contains the WebAssembly, the addon for this platform, and the types.
 *
 * It needs `bindings-wasm/api/pkg`, which `bindings-wasm/scripts/build.mjs` creates.
 */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { bundled, root, types } from '../../bindings-wasm/scripts/tools.mjs';
import { buildNative } from './native.mjs';

const here = join(root, 'bindings-node');
const dist = join(here, 'dist');

const addon = await buildNative();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(addon, join(dist, basename(addon)));
const entry = (outfile, format) =>
  build({
    ...bundled,
    entryPoints: [join(here, 'ts/index.ts')],
    outfile: join(dist, outfile),
    format,
    platform: 'node',
    target: 'node20',
  });
// Bundlers take a module by the condition `module`: those that write modules leave CommonJS no `require`.
await Promise.all([entry('index.cjs', 'cjs'), entry('bundled.mjs', 'esm')]);
// The entry for `import` only passes on: there is one instance of everything, whichever way it is loaded.
writeFileSync(join(dist, 'index.mjs'), "export * from './index.cjs';\n");
writeFileSync(join(dist, 'index.d.mts'), "export * from './types/index.js';\n");
types(join(dist, 'types'));

const bytes = readFileSync(join(dist, 'index.cjs'));
console.log(`index.cjs: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
