/**
 * Builds `dist/`: the module inside the JavaScript for every host, and beside it for those that forbid compiling bytes.
 * With `--with-pool` it builds only a module that also replays logs of a pool, into `target/with-pool/` for the vectors.
 */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { lettersOf } from './letters.mjs';
import { bundled, cargo, developmentProfile, optimise, root, run, types } from './tools.mjs';

const here = join(root, 'bindings-wasm');
const pkg = join(here, 'api/pkg');
const dist = join(here, 'dist');
const MODULE = 'halfopen.wasm';

// The names that wasm-bindgen gives to its files.
const bound = join(pkg, 'halfopen_wasm_bg.wasm');
if (process.argv.includes('--with-pool')) {
  link(join(root, 'target/with-pool'), '--features', 'pool');
  process.exit();
}
link(pkg);
if (!developmentProfile) {
  const strip = ['--strip-debug', '--strip-producers', '--strip-target-features'];
  optimise(bound, bound, '-Oz', '--flatten', '--rereloop', '-Oz', '-Oz', ...strip);
}
const module = readFileSync(bound);
const { order, letters } = lettersOf(module);
writeFileSync(join(pkg, 'module.js'), `export const order = [${order}];\nexport const letters = "${letters}";\n`);
writeFileSync(
  join(pkg, 'module.d.ts'),
  'export declare const order: readonly number[];\nexport declare const letters: string;\n',
);

for (const part of ['index.js', 'module.js', 'node.js', MODULE, 'types', 'cjs']) {
  rmSync(join(dist, part), { recursive: true, force: true });
}
mkdirSync(join(dist, 'cjs'), { recursive: true });
const entry = (name, outfile, format, platform = 'browser') =>
  build({
    ...bundled,
    entryPoints: [join(here, 'ts', name)],
    outfile: join(dist, outfile),
    format,
    platform,
    minify: true,
  });
await Promise.all([
  entry('index.ts', 'index.js', 'esm'),
  entry('index.ts', 'cjs/index.js', 'cjs', 'node'),
  entry('module.ts', 'module.js', 'esm'),
]);
copyFileSync(bound, join(dist, MODULE));
// Node has one copy of every class, whichever way the package is loaded; bundlers have one by the condition `module`.
writeFileSync(join(dist, 'node.js'), "export * from './cjs/index.js';\n");
writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n');
types(join(dist, 'types'));
types(join(dist, 'cjs/types'));

for (const file of ['index.js', 'module.js', MODULE]) {
  const bytes = readFileSync(join(dist, file));
  console.log(`${file}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}

/** Compiles the module with these options of cargo, and writes it into the folder with its JavaScript. */
function link(folder, ...options) {
  const target = ['--target', 'wasm32-unknown-unknown', '--profile', developmentProfile ?? 'wasm'];
  const [linked] = cargo('halfopen-wasm', [...target, ...options]).filter((path) => path.endsWith('.wasm'));
  const bindgen = join(root, 'target/tools/bin/wasm-bindgen');
  run(bindgen, ['--target', 'web', '--omit-default-module-path', '--out-dir', folder, linked]);
}
