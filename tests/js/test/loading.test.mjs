/** Which build is used, and the error if none starts. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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

/** Runs Node in a process of its own, after a command of the shell. */
function node(args, wish, first = 'true') {
  const { HALFOPEN_BACKEND: _, FORCE_COLOR: __, ...env } = process.env;
  const run = spawnSync('sh', ['-c', `${first} && exec "$@"`, 'sh', process.execPath, ...args], {
    env: { ...env, ...(wish === undefined ? {} : { HALFOPEN_BACKEND: wish }) },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { ...run, printed: run.stdout.trim() };
}

/** Returns a function that runs a script with the package of a folder. */
const using = (folder, script = 'console.log(halfopen.backend)') => [
  '-e',
  `const halfopen = require(${JSON.stringify(join(folder, 'index.cjs'))}); ${script}`,
];
const load = (folder, wish, script) => node(using(folder, script), wish);

/** Hosts where WebAssembly does not start, with the message of each. */
const WITHOUT_WASM = {
  'a host that has none': [(folder) => node(['--jitless', ...using(folder)]), /WebAssembly is not defined/],
  'a policy that forbids to compile it': [
    (folder) => node([join(import.meta.dirname, 'no-wasm.cjs'), join(folder, 'index.cjs')]),
    /disallowed by embedder/,
  ],
};
const LIMIT = 'ulimit -v 8000000';
const starts = `new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 17)))`;
// Node 24 reserves less, so WebAssembly starts there.
if (node(['-e', starts], undefined, LIMIT).status !== 0) {
  WITHOUT_WASM['a limit on the address space'] = [(folder) => node(using(folder), undefined, LIMIT), /Out of memory/];
}

test('WebAssembly is taken, and the native build where it is asked for', () => {
  assert.ok(readdirSync(dist).some((file) => file.endsWith('.node')));
  assert.equal(load(dist).printed, 'wasm');
  assert.equal(load(dist, '').printed, 'wasm');
  assert.equal(load(dist, 'wasm').printed, 'wasm');
  assert.equal(load(dist, 'native').printed, 'native');
});

test('under a limit on the address space it starts', () => {
  const { status, printed, stderr } = node(using(dist), undefined, LIMIT);
  assert.deepEqual([status, printed], [0, 'a limit on the address space' in WITHOUT_WASM ? 'native' : 'wasm'], stderr);
});

for (const [host, [run, reason]] of Object.entries(WITHOUT_WASM)) {
  test(`the native build serves in ${host}`, () => {
    const { printed, stderr } = run(dist);
    assert.equal(printed, 'native', stderr);
  });

  test(`where neither build starts, both reasons are reported: ${host}`, () => {
    const { status, stderr } = run(bare);
    assert.notEqual(status, 0);
    assert.match(stderr, /neither build of halfopen starts/);
    assert.match(stderr, reason);
    assert.match(stderr, /no native build of halfopen loads on \w+-\w+.*\n.*halfopen\./);
  });
}

test('without a native build, a request for it is refused with the reason', () => {
  assert.equal(load(bare).printed, 'wasm');
  const { status, stderr } = load(bare, 'native');
  assert.notEqual(status, 0);
  assert.match(stderr, /no native build of halfopen loads on \w+-\w+.*\n.*halfopen\./);
});

test('the native build may lie in the package of its platform, in the same version', () => {
  const addon = readdirSync(dist).find((file) => file.endsWith('.node'));
  const [, target] = addon.split('.');
  const folder = mkdtempSync(join(tmpdir(), 'halfopen-'));
  const own = join(folder, 'node_modules', `halfopen-${target}`);
  try {
    cpSync(bare, folder, { recursive: true });
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'package.json'), JSON.stringify({ name: `halfopen-${target}`, main: addon }));
    cpSync(join(dist, addon), join(own, addon));
    assert.equal(load(folder, 'native').printed, 'native');
    writeFileSync(join(own, 'package.json'), JSON.stringify({ name: `halfopen-${target}`, main: 'old.js' }));
    writeFileSync(join(own, 'old.js'), "exports.VERSION = '0.0.0';");
    assert.match(load(folder, 'native').stderr, /halfopen-\S+: version 0\.0\.0, wanted \d/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('breakers are shared between threads by the native build, or not at all', () => {
  const script = "console.log(new halfopen.CircuitBreaker({ share: 'threads' }).state, halfopen.backend)";
  assert.equal(load(dist, 'wasm', script).printed, 'closed wasm');
  assert.equal(load(dist, 'native', script).printed, 'closed native');
  const { status, stderr } = load(bare, undefined, script);
  assert.notEqual(status, 0);
  assert.match(stderr, /only the native build shares breakers between threads: no native build of halfopen loads/);
});

test('any other value of HALFOPEN_BACKEND is refused', () => {
  const { status, stderr } = load(dist, 'nativ');
  assert.notEqual(status, 0);
  assert.match(stderr, /HALFOPEN_BACKEND = "nativ" is refused/);
});

const WAYS = {
  wasm: ['wasm', ''],
  native: ['native', ''],
  'shared between threads': [undefined, "share: 'threads',"],
};
for (const [way, [wish, option]] of Object.entries(WAYS)) {
  test(`a breaker keeps no process alive: ${way}`, () => {
    const script = `
      const breaker = new halfopen.CircuitBreaker({ ${option} failureThreshold: 1, timeoutSeconds: 31536000 });
      globalThis.permit = breaker.acquire();
      breaker.subscribe(() => undefined);
      breaker.call(() => new Promise(() => undefined));
      breaker.call(() => Promise.reject(new Error('down'))).catch(() => console.log(breaker.state));
    `;
    const { status, printed, stderr } = load(dist, wish, script);
    assert.deepEqual([status, printed, stderr], [0, 'open', '']);
  });

  test(`thousands of breakers come and go: ${way}`, () => {
    const script = `
      require('node:v8').setFlagsFromString('--expose-gc');
      const gc = require('node:vm').runInNewContext('gc');
      const churn = async () => {
        for (let n = 0; n < 2000; n += 1) {
          const breaker = new halfopen.CircuitBreaker({ ${option} name: 'circuit ' + n });
          breaker.subscribe(() => undefined);
          breaker.acquire().success();
        }
        for (let n = 0; n < 5; n += 1) { gc(); await new Promise(setImmediate); }
        return process.memoryUsage().rss;
      };
      (async () => {
        // The heap of V8 grows in the first rounds.
        for (let round = 0; round < 4; round += 1) await churn();
        const first = await churn();
        for (let round = 0; round < 6; round += 1) await churn();
        console.log((await churn()) / first < 1.5 ? 'steady' : 'grows');
      })();
    `;
    const { status, printed, stderr } = load(dist, wish, script);
    assert.deepEqual([status, printed, stderr], [0, 'steady', '']);
  });
}
