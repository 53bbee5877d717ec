import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { title, withFolder } from '../harness/chromium.mjs';
import { EXPECTED } from './expected.mjs';

/** The result of the page in that folder of a project, served as files. */
function printed(project, folder) {
  return withFolder(join(project.dir, folder), title);
}

function vite(major) {
  const shared = { tool: 'vite', project: `vite${major}` };
  return [
    {
      ...shared,
      name: `Vite ${major}, build`,
      quick: major === 8,
      run: async (project) => {
        await project.run('vite', 'build', '--outDir', 'page');
        assert.equal(await printed(project, 'page'), EXPECTED);
      },
    },
    {
      ...shared,
      name: `Vite ${major}, development server`,
      run: (project) =>
        project.serve('vite', ['--host', '127.0.0.1'], /http:\/\/127\.0\.0\.1:\d+/, async ([origin]) => {
          assert.equal(await title(`${origin}/`), EXPECTED);
        }),
    },
  ];
}

/** Builds `page.mjs` with one of the bundlers into `<folder>/page.js`, and loads that by a classic script. */
function bundled(name, tool, folder, build, more = {}) {
  return {
    name,
    tool,
    project: 'bundlers',
    run: async (project) => {
      await project.run(...build);
      copyFileSync(join(project.dir, 'classic.html'), join(project.dir, folder, 'index.html'));
      assert.equal(await printed(project, folder), EXPECTED);
    },
    ...more,
  };
}

export default {
  kind: 'Bundlers for a page',
  cases: [
    ...[5, 6, 7, 8].flatMap(vite),
    bundled(
      'esbuild, iife',
      'esbuild',
      'iife',
      ['esbuild', 'page.mjs', '--bundle', '--minify', '--format=iife', '--outfile=iife/page.js'],
      { project: 'esbuild', quick: true },
    ),
    bundled('webpack, page', 'webpack', 'webpack-page', ['webpack-cli', '--config', 'webpack-page.config.mjs']),
    {
      name: 'Parcel',
      tool: 'parcel',
      project: 'parcel',
      run: async (project) => {
        await project.run('parcel', 'build', 'index.html', '--dist-dir', 'page');
        assert.equal(await printed(project, 'page'), EXPECTED);
      },
    },
  ],
};
