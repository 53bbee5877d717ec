/** Packs both packages and checks the tarballs: by publint, by attw, and by installing them into a scratch project. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'halfopen-package-'));

function run(program, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', env: environment });
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${error ?? ''}${stdout}${stderr}`);
  return stdout.trim();
}

// The scratch project is a user's: nobody there forces a build, or lends it our own npm settings.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name !== 'HALFOPEN_BACKEND' && !name.startsWith('npm_')),
);

function pack(folder) {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--silent', '--pack-destination', scratch], join(root, folder)),
  );
  return join(scratch, filename);
}

async function lint(folder) {
  const { messages, pkg } = await publint({ pkgDir: join(root, folder), strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
    folder,
  );
}

try {
  const native = pack('bindings-node');
  const wasm = pack('bindings-wasm');
  await lint('bindings-node');
  await lint('bindings-wasm');
  const attw = join(root, 'node_modules/.bin/attw');
  run(attw, ['--profile', 'node16', native]);
  run(attw, ['--profile', 'node16', wasm]);

  writeFileSync(join(scratch, 'package.json'), '{ "private": true }');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', native, wasm], scratch);
  const use = 'const breaker = new halfopen.CircuitBreaker(); breaker.call(() => halfopen.backend).then(console.log)';
  writeFileSync(join(scratch, 'required.cjs'), `const halfopen = require('halfopen'); ${use}`);
  writeFileSync(join(scratch, 'imported.mjs'), `import * as halfopen from 'halfopen'; ${use}`);
  writeFileSync(join(scratch, 'page.mjs'), `import * as halfopen from 'halfopen-wasm'; ${use}`);
  writeFileSync(join(scratch, 'page.cjs'), `const halfopen = require('halfopen-wasm'); ${use}`);
  assert.equal(run(process.execPath, ['required.cjs'], scratch), 'wasm');
  assert.equal(run(process.execPath, ['imported.mjs'], scratch), 'wasm');
  assert.equal(run(process.execPath, ['page.mjs'], scratch), 'wasm');
  assert.equal(run(process.execPath, ['page.cjs'], scratch), 'wasm');
  const left = readdirSync(join(scratch, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.deepEqual(left, ['halfopen', 'halfopen-wasm'], 'neither package depends on another');
  console.log('packages: both tarballs are fine');
} finally {
  rmSync(scratch, { recursive: true });
}
