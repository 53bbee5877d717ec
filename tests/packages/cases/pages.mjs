import assert from 'node:assert/strict';

import { title, withFolder } from '../harness/chromium.mjs';
import { EXPECTED } from './expected.mjs';

/** The result of a page of the project, served with these headers. */
function printed(project, page, headers) {
  return withFolder(project.dir, (origin) => title(`${origin}/${page}`), headers);
}

/** A worker of one module. The page posts a message before the worker has started. */
function worker(name, page) {
  return {
    name,
    tool: 'Chromium',
    project: 'esbuild',
    quick: true,
    run: async (project) => {
      await project.run('esbuild', 'worker.mjs', '--bundle', '--format=esm', '--outfile=worker.js');
      assert.equal(await printed(project, page), EXPECTED);
    },
  };
}

/** A page under a content security policy, whose scripts are its own. */
const policy = (sources) => ({ 'content-security-policy': `script-src 'self' ${sources}` });

export default {
  kind: 'Pages and workers',
  cases: [
    {
      name: 'A page with an import map',
      tool: 'Chromium',
      project: 'esbuild',
      quick: true,
      run: async (project) => assert.equal(await printed(project, 'module.html'), EXPECTED),
    },
    worker('A module worker receives what was posted at once', 'worker.html'),
    worker('A shared worker receives what was posted at once', 'shared-worker.html'),
    worker('A service worker receives what was posted at once', 'service-worker.html'),
    {
      name: 'A page whose policy allows WebAssembly',
      tool: 'Chromium',
      project: 'esbuild',
      quick: true,
      run: async (project) => {
        await project.run('esbuild', 'page.mjs', '--bundle', '--format=esm', '--outfile=policy-page.js');
        assert.equal(await printed(project, 'policy.html', policy("'wasm-unsafe-eval'")), EXPECTED);
      },
    },
    {
      name: 'A page whose policy forbids WebAssembly is told what to allow',
      tool: 'Chromium',
      project: 'esbuild',
      quick: true,
      run: async (project) => {
        await project.run('esbuild', 'page.mjs', '--bundle', '--format=esm', '--outfile=policy-page.js');
        assert.match(await printed(project, 'policy.html', policy('')), /halfopen.*'wasm-unsafe-eval'/s);
      },
    },
  ],
};
