/**
 * Builds `dist/`: one file that contains the WebAssembly, the addon for this platform, and the types.
 *
 * It needs `bindings-wasm/api/pkg`, which `bindings-wasm/scripts/build.mjs` creates.
 */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { bundled, root, run, tool, types } from '../../bindings-wasm/scripts/tools.mjs';
import { buildNative } from './native.mjs';

const here = join(root, 'bindings-node');
const dist = join(here, 'dist');

const addon = await buildNative();
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
copyFileSync(addon, join(dist, basename(addon)));
const entry = (name, outfile, format, options = {}) =>
  build({
    ...bundled,
    entryPoints: [join(here, 'ts', name)],
    outfile: join(dist, outfile),
    format,
    platform: 'node',
    target: 'node20',
    ...options,
  });
// Modules beside the core import it from the package, so that there is one instance of every class.
const beside = { alias: { '@halfopen/api': 'halfopen' }, external: ['halfopen'], inject: [] };
// Bundlers take a module by the condition `module`: those that write modules leave CommonJS no `require`.
await Promise.all([
  entry('index.ts', 'index.cjs', 'cjs'),
  entry('index.ts', 'bundled.mjs', 'esm'),
  entry('recording.ts', 'recording.cjs', 'cjs', beside),
  entry('recording.ts', 'recording.bundled.mjs', 'esm', beside),
]);
// The entries for `import` only re-export, so there is one instance of everything, whichever way it is loaded.
writeFileSync(join(dist, 'index.mjs'), "export * from './index.cjs';\n");
writeFileSync(join(dist, 'index.d.mts'), "export * from './types/index.js';\n");
writeFileSync(join(dist, 'recording.mjs'), "export * from './recording.cjs';\n");
writeFileSync(join(dist, 'recording.d.mts'), "export * from './recording.js';\n");
types(join(dist, 'types'));
writeFileSync(join(dist, 'recording.d.ts'), declarationsOf('recording'));

const bytes = readFileSync(join(dist, 'index.cjs'));
console.log(`index.cjs: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);

/** The declarations of a file beside the core, which name the package and not its sources. */
function declarationsOf(name) {
  const folder = mkdtempSync(join(tmpdir(), 'halfopen-types-'));
  try {
    const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', folder];
    run(tool('tsc'), ['-p', 'bindings-node', ...options]);
    const text = readFileSync(join(folder, 'bindings-node/ts', `${name}.d.ts`), 'utf8');
    return text.replaceAll('@halfopen/api', 'halfopen');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
