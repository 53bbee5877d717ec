import assert from 'node:assert/strict';
import { PACKAGES } from '../harness/packages.mjs';
import { run } from '../harness/process.mjs';
import { EXPECTED } from './expected.mjs';

/** A script that checks one thing of a package, and says so at the end. */
function checked(name, script) {
  return Object.keys(PACKAGES).map((published) => ({
    name: `${published}: ${name}`,
    project: 'plain',
    quick: true,
    run: async (project) => assert.equal(await project.run('node', script, published), 'right'),
  }));
}

/** A limit of the address space, in kilobytes, below which WebAssembly cannot start: it reserves more. */
const ADDRESS_SPACE = 8_000_000;

function runScript(name, script) {
  return {
    name,
    project: 'plain',
    quick: true,
    run: async (project) => assert.equal(await project.run('node', script), EXPECTED),
  };
}

/** Node prints the line that threw an uncaught error, and the WebAssembly is a line of hundreds of thousands of letters. */
function uncaught(published) {
  return {
    name: `${published}: an uncaught error is short`,
    project: 'plain',
    quick: true,
    run: (project) =>
      assert.rejects(project.run('node', 'uncaught.mjs', published), ({ message }) => {
        assert.match(message, /InvalidValueError: failureThreshold = 0/);
        assert.ok(message.length < 3000, message);
        return true;
      }),
  };
}

export default {
  kind: 'Node alone',
  cases: [
    runScript('halfopen, imported', 'server.mjs'),
    runScript('halfopen, required', 'server.cjs'),
    runScript('halfopen-wasm, imported', 'page.mjs'),
    runScript('halfopen-wasm, required', 'page.cjs'),
    {
      name: 'halfopen under a limit on address space',
      project: 'plain',
      quick: true,
      run: async (project) => {
        const script = `ulimit -v ${ADDRESS_SPACE}; exec '${process.execPath}' server.cjs`;
        assert.equal(await run('bash', ['-c', script], { cwd: project.dir }), EXPECTED.replace('wasm', 'native'));
      },
    },
    {
      name: 'one copy for import and require',
      project: 'plain',
      quick: true,
      run: async (project) => assert.equal(await project.run('node', 'one-copy.mjs'), 'true true'),
    },
    ...Object.keys(PACKAGES).map(uncaught),
    ...checked('options are own properties', 'pollution.mjs'),
    {
      name: 'halfopen, native: options are own properties',
      project: 'plain',
      quick: true,
      run: async (project) => assert.equal(await project.run('node', 'pollution.mjs', 'halfopen', 'native'), 'right'),
    },
    ...checked('a module of settings is a configuration', 'namespace.mjs'),
    ...checked('errors can be made by mocks', 'mock.mjs'),
    ...checked('stacks on request', 'stacks.mjs'),
  ],
};
