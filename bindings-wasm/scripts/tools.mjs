/** The tools of the builds: cargo, wasm-opt, esbuild's options and the compiler for declarations. */

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** A Cargo profile for development (`make dev-node`); without it the build is for release. */
export const developmentProfile = process.env.HALFOPEN_PROFILE;

/** Runs a program with `env` added to the environment; returns its standard output, and passes its errors through. */
export function run(program, args, env = {}) {
  const { status, error, stdout } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n${stdout ?? ''}`);
  }
  return stdout;
}

/** Builds a crate and returns the paths of the artefacts. */
export function cargo(crate, args, env) {
  const build = ['build', '--quiet', '-p', crate, ...args, '--message-format=json-render-diagnostics'];
  const lines = run('cargo', build, env);
  const artefacts = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const made = artefacts.findLast(
    ({ reason, target }) => reason === 'compiler-artifact' && target.name === crate.replaceAll('-', '_'),
  );
  return made.filenames;
}

/** The path of a program that a development dependency installs. */
export const tool = (name) => join(root, 'node_modules/.bin', name);

/** The WebAssembly features that the compilers use; every browser with `FinalizationRegistry` has them. */
const FEATURES = [
  'bulk-memory',
  'mutable-globals',
  'multivalue',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
];

/** Runs wasm-opt. */
export const optimise = (from, to, ...options) =>
  run(tool('wasm-opt'), [...FEATURES.map((feature) => `--enable-${feature}`), ...options, from, '-o', to]);

/** How esbuild bundles the shared TypeScript into a package. */
export const bundled = {
  bundle: true,
  target: 'es2022',
  logLevel: 'warning',
  // No comments that show our folders, and short lines, because an uncaught error prints the line that threw it.
  minifyWhitespace: true,
  lineLimit: 600,
  external: ['*.wasm?module'],
  inject: [join(root, 'bindings-wasm/api/ts/text-codecs.ts')],
};

/** Writes the declarations of the shared TypeScript, which are those of both packages. */
export const types = (folder) => run(tool('tsc'), ['-p', 'bindings-wasm/api', '--outDir', folder]);
