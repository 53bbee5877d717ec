import assert from 'node:assert/strict';

import { run } from '../harness/process.mjs';

/** A tool ends with an error if a test failed; the number of passed tests is in its output. */
function tested(name, project, passed, work, tool = project) {
  return { name, tool, project, run: async (project) => assert.match(await work(project), passed) };
}

/** The tests of both packages in the projects of Vitest and jest, and in that of mocha. */
const SIX = /Tests:? +6 passed/;
const FOUR = /\b4 passing/;

function vitest(name, where) {
  return tested(name, 'vitest', SIX, (project) => project.run('vitest', 'run', '--environment', where));
}

function mocha(name, file) {
  const options = ['--node-option', 'import=tsx', file];
  return tested(name, 'mocha', FOUR, (project) => project.run('mocha', ...options), ['mocha', 'sinon']);
}

/** jest writes all that it says to the standard error. */
function jest(name, file, where, env) {
  return tested(name, 'jest', SIX, (project) =>
    run('sh', ['-c', `${project.bin('jest')} --env ${where} ${file} 2>&1`], { cwd: project.dir, env }),
  );
}

const MODULES = { NODE_OPTIONS: '--experimental-vm-modules' };

export default {
  kind: 'Test tools',
  cases: [
    vitest('Vitest, node', 'node'),
    vitest('Vitest, jsdom', 'jsdom'),
    jest('jest, node, CommonJS', 'commonjs.test.cjs', 'node'),
    jest('jest, node, modules', 'esm.test.mjs', 'node', MODULES),
    jest('jest, jsdom, CommonJS', 'commonjs.test.cjs', 'jsdom'),
    jest('jest, jsdom, modules', 'esm.test.mjs', 'jsdom', MODULES),
    mocha('mocha and sinon, TypeScript', 'esm.test.mts'),
    mocha('mocha and sinon, TypeScript in CommonJS', 'commonjs.test.cts'),
  ],
};
