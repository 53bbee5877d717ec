/**
 * Builds `dist/component/`: the core as a WebAssembly component, and in `js/` what jco makes of it for JavaScript.
 *
 * `jco-transpile` is the part of jco that does both, with an API of its own. The package `jco` installs two JavaScript
 * engines, a bundler and TypeScript besides, for work that is not done here.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { transpileBytes, writeFiles } from '@bytecodealliance/jco-transpile';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

import { cargo, optimise, root } from './tools.mjs';

const dist = join(root, 'bindings-wasm/dist/component');
const [module] = cargo('halfopen-component', ['--target', 'wasm32-unknown-unknown', '--profile', 'wasm']).filter(
  (path) => path.endsWith('.wasm'),
);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

// The types stand in a custom section, which `componentNew` turns into those of the component; wasm-opt keeps it.
const small = join(dist, 'module.wasm');
optimise(module, small, '-O3', '--strip-debug', '--strip-producers', '--strip-target-features');
const component = await componentNew(readFileSync(small));
rmSync(small);
const file = join(dist, 'halfopen.component.wasm');
writeFileSync(file, component);
console.log(`component: ${component.length} bytes, ${gzipSync(component, { level: 9 }).length} gzipped`);

const { files } = await transpileBytes(component, {
  name: 'halfopen',
  outDir: join(dist, 'js'),
  // Each instance is given its own clock.
  instantiation: 'sync',
  // As `jco transpile` does: what is thrown is an error, with the record that was returned as its payload.
  noComponentErrorWrapping: false,
  minify: false,
});
await writeFiles(files);
