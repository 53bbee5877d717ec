/** Which build serves, and what is said where none does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

const dist = dirname(createRequire(import.meta.url).resolve('halfopen'));
const BACKEND = 'console.log(halfopen.backend)';
const SHARE = `const breaker = new halfopen.CircuitBreaker({ share: 'threads' }); console.log(breaker.state)`;
let bare;

before(() => {
  bare = mkdtempSync(join(tmpdir(), 'halfopen-'));
  cpSync(dist, bare, { recursive: true, filter: (path) => !path.endsWith('.node') });
});
after(() => rmSync(bare, { recursive: true }));

/** Loads the package from a folder in a process of its own, with these flags of Node and limits of the shell. */
function load(folder, { wish, script = BACKEND, flags = [], limit = 'true' } = {}) {
  const { HALFOPEN_BACKEND: _, ...env } = process.env;
  const entry = JSON.stringify(join(folder, 'index.cjs'));
  const node = [process.execPath, ...flags, '-e', `const halfopen = require(${entry}); ${script}`];
  const run = spawnSync('sh', ['-c', `${limit} && exec "$@"`, 'sh', ...node], {
    env: { ...env, ...(wish === undefined ? {} : { HALFOPEN_BACKEND: wish }) },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { ...run, told: run.stdout.trim() };
}

/** Ways to keep WebAssembly from starting, by what is said of it. */
const WITHOUT_WASM = {
  'a host that has none': [{ flags: ['--jitless'] }, /WebAssembly is not defined/],
  'a limit on the address space': [{ limit: 'ulimit -v 8000000' }, /Out of memory/i],
  'a policy that forbids to compile': [
    { script: '', flags: ['-r', join(import.meta.dirname, 'no-wasm.cjs')] },
    /disallowed by embedder/,
  ],
};

test('WebAssembly is taken, and the native build where it is asked for', () => {
  assert.ok(readdirSync(dist).some((file) => file.endsWith('.node')));
  assert.equal(load(dist).told, 'wasm');
  assert.equal(load(dist, { wish: '' }).told, 'wasm');
  assert.equal(load(dist, { wish: 'wasm' }).told, 'wasm');
  assert.equal(load(dist, { wish: 'native' }).told, 'native');
});
