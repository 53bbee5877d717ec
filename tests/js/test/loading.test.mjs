import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

const dist = dirname(createRequire(import.meta.url).resolve('halfopen'));
let bare;

before(() => {
  bare = mkdtempSync(join(tmpdir(), 'halfopen-'));
  cpSync(dist, bare, { recursive: true, filter: (path) => !path.endsWith('.node') });
});
after(() => rmSync(bare, { recursive: true }));

/** Loads the package from a folder in a process of its own. */
function load(folder, wish, script = 'console.log(halfopen.backend)', flags = []) {
  const { HALFOPEN_BACKEND: _, ...env } = process.env;
  const entry = JSON.stringify(join(folder, 'index.cjs'));
  const run = spawnSync(process.execPath, [...flags, '-e', `const halfopen = require(${entry}); ${script}`], {
    env: { ...env, ...(wish === undefined ? {} : { HALFOPEN_BACKEND: wish }) },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { ...run, told: run.stdout.trim() };
}

test('WebAssembly is taken, and the native build where it is asked for', () => {
  assert.ok(readdirSync(dist).some((file) => file.endsWith('.node')));
  assert.equal(load(dist).told, 'wasm');
  assert.equal(load(dist, '').told, 'wasm');
  assert.equal(load(dist, 'wasm').told, 'wasm');
  assert.equal(load(dist, 'native').told, 'native');
});

test('where a host has no WebAssembly the native build takes over by itself', () => {
  assert.equal(load(dist, undefined, undefined, ['--jitless']).told, 'native');
});

test('where no native build lies, who wants one is told so', () => {
  assert.equal(load(bare).told, 'wasm');
  for (const { status, stderr } of [load(bare, 'native'), load(bare, undefined, undefined, ['--jitless'])]) {
    assert.notEqual(status, 0);
    assert.match(stderr, /no native build of halfopen loads on \w+-\w+:\n.*halfopen\./);
  }
});

test('a wish that is neither is refused', () => {
  const { status, stderr } = load(dist, 'nativ');
  assert.notEqual(status, 0);
  assert.match(stderr, /HALFOPEN_BACKEND = "nativ" is refused/);
});

for (const wish of ['native', 'wasm']) {
  test(`a breaker keeps no process alive: ${wish}`, () => {
    const script = `
      const breaker = new halfopen.CircuitBreaker({ failureThreshold: 1, timeoutSeconds: 31536000 });
      globalThis.permit = breaker.acquire();
      breaker.call(() => new Promise(() => undefined));
      breaker.call(() => Promise.reject(new Error('down'))).catch(() => console.log(breaker.state));
    `;
    const { status, told } = load(dist, wish, script);
    assert.deepEqual([status, told], [0, 'open']);
  });

  test(`thousands of breakers come and go: ${wish}`, () => {
    const script = `
      require('node:v8').setFlagsFromString('--expose-gc');
      const gc = require('node:vm').runInNewContext('gc');
      const churn = async () => {
        for (let n = 0; n < 2000; n += 1) new halfopen.CircuitBreaker().acquire().success();
        for (let n = 0; n < 5; n += 1) { gc(); await new Promise(setImmediate); }
        return process.memoryUsage().rss;
      };
      (async () => {
        await churn();
        const first = await churn();
        for (let round = 0; round < 6; round += 1) await churn();
        console.log((await churn()) / first < 1.5 ? 'steady' : 'grows');
      })();
    `;
    const { status, told, stderr } = load(dist, wish, script);
    assert.deepEqual([status, told, stderr], [0, 'steady', '']);
  });
}
