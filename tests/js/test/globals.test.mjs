/** Globals that a host may lack when the packages are imported. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';

const { resolve } = createRequire(import.meta.url);
const USE = `
  const breaker = new module.exports.CircuitBreaker({ name: 'größe 😀', failureThreshold: 1 });
  breaker.acquire().failure();
  let refused;
  try {
    new module.exports.CircuitBreaker({ timeoutSeconds: 0 });
  } catch (error) {
    refused = error.field;
  }
  [breaker.config.name, breaker.state, refused, breaker.explain().split(':')[0]];
`;
const EXPECTED = ['größe 😀', 'open', 'timeoutSeconds', 'open after 1 failure in a row'];

/** The result of the package in a realm that has only these globals. */
function inRealm(file, globals) {
  const context = vm.createContext({ module: { exports: {} }, require: createRequire(file), ...globals });
  Object.assign(context, { __filename: file, __dirname: dirname(file), exports: context.module.exports });
  vm.runInContext(readFileSync(file, 'utf8'), context, { filename: file });
  return Array.from(vm.runInContext(USE, context));
}

test('the package for pages needs nothing but the language and WebAssembly', () => {
  assert.deepEqual(inRealm(resolve('halfopen-wasm'), {}), EXPECTED);
});

test('the package for Node needs no text codecs and no timers, as in jest with jsdom', () => {
  assert.deepEqual(inRealm(resolve('halfopen'), { process }), EXPECTED);
});

test('the package for Node asks for no permission to read the environment', () => {
  const forbidden = Object.create(process, {
    env: {
      get() {
        throw new Error('NotCapable: Requires env access');
      },
    },
  });
  assert.deepEqual(inRealm(resolve('halfopen'), { process: forbidden }), EXPECTED);
});

test('no entry awaits anything when it is imported', () => {
  for (const entry of ['index.js', 'module.js']) {
    const code = readFileSync(new URL(`../../../bindings-wasm/dist/${entry}`, import.meta.url), 'utf8');
    const exported = code.replace(/export\{[^}]*\};?\s*$/, '').replace(/\bimport \w+ from"[^"]*";/, '');
    assert.doesNotThrow(() => new vm.Script(exported), 'it would be no script if it had a top-level await');
  }
});
