import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const EXPECTED = [
  'ends with 1 in flight, first 1 0 0',
  'breaks with 1 in flight, first, the connection is lost 1 1 0',
  'is left with 1 in flight, first 1 1 1',
].join('\n');

/** Compiles `stream.mjs` for a host that has no async generators, and runs it: their replacement is still a stream. */
function lowered(name, tool, file, build, more = {}) {
  return {
    name: `${name} to ES2017`,
    tool,
    project: 'lowering',
    run: async (project) => {
      await project.run(...build);
      assert.doesNotMatch(readFileSync(join(project.dir, file), 'utf8'), /async function ?\*/);
      assert.equal(await project.run('node', file), EXPECTED);
    },
    ...more,
  };
}

export default {
  kind: 'Compilers that lower async generators',
  cases: [
    lowered('esbuild', 'esbuild', 'lowered.js', ['esbuild', 'stream.mjs', '--target=es2017', '--outfile=lowered.js'], {
      project: 'esbuild',
      quick: true,
    }),
    lowered('tsc', 'typescript', 'tsc/stream.mjs', ['tsc', '--noCheck']),
    lowered('Babel', '@babel/core', 'babel.js', ['node', 'build-babel.mjs']),
    lowered('swc', '@swc/core', 'swc.js', ['node', 'build-swc.mjs']),
  ],
};
