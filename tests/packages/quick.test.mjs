/** The cases that every change has to pass. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isCurrent } from './harness/readme.mjs';
import { register } from './harness/register.mjs';

register({ quick: true });

test('the README of halfopen lists what is tried', () => {
  assert.ok(isCurrent(), 'bring it up to date with: node tests/packages/harness/readme.mjs');
});
