import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { example } from '../readme.mjs';

test('the example in the README says what it should', () => {
  const code = example('js', 'bindings-wasm/component/README.md');
  const cwd = fileURLToPath(new URL('../../../bindings-wasm/dist/component/js', import.meta.url));
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd, encoding: 'utf8' });
  assert.equal(printed, 'HELLO\nCIRCUIT_OPEN ask somebody else for 30 s\n');
});
