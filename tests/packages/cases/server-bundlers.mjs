import assert from 'node:assert/strict';

import { EXPECTED } from './expected.mjs';

/** Builds `server.mjs` with one of the bundlers, and runs the result without the project's packages. */
function bundled(name, tool, build, output, more = {}) {
  return {
    name,
    tool,
    project: 'bundlers',
    run: async (project) => {
      await project.run(...build);
      assert.equal(await project.runAlone(...output), EXPECTED);
    },
    ...more,
  };
}

function esbuild(format) {
  const file = `esbuild.${format === 'cjs' ? 'cjs' : 'mjs'}`;
  const options = ['--bundle', '--platform=node', '--target=node20', `--format=${format}`, `--outfile=${file}`];
  const more = { project: 'esbuild', quick: true };
  return bundled(`esbuild, ${format}`, 'esbuild', ['esbuild', 'server.mjs', ...options], [file], more);
}

function tsup(format, file) {
  const build = ['tsup', '--format', format, '--out-dir', `tsup-${format}`];
  return bundled(`tsup, ${format}`, 'tsup', build, [`tsup-${format}/${file}`]);
}

/** Vite leaves packages outside of a server's bundle unless its configuration says otherwise. */
function vite(major) {
  return {
    name: `Vite ${major}, SSR`,
    tool: 'vite',
    project: `vite${major}`,
    run: async (project) => {
      await project.run('vite', 'build', '--ssr', 'server.mjs', '--outDir', 'ssr', '--config', 'ssr.config.mjs');
      assert.equal(await project.runAlone('ssr', 'server.js'), EXPECTED);
    },
  };
}

export default {
  kind: 'Bundlers for a server',
  cases: [
    esbuild('cjs'),
    esbuild('esm'),
    bundled('webpack, server', 'webpack', ['webpack-cli'], ['webpack', 'server.cjs']),
    bundled('Rspack', '@rspack/core', ['node', 'rspack.mjs'], ['rspack', 'server.cjs']),
    bundled('Rollup', 'rollup', ['rollup', '--config', 'rollup.config.mjs'], ['rollup', 'server.mjs']),
    bundled(
      'Rolldown',
      'rolldown',
      ['rolldown', 'server.mjs', '--platform', 'node', '--dir', 'rolldown'],
      ['rolldown', 'server.js'],
    ),
    bundled('Bun, bundler', 'bun', ['bun', 'build', 'server.mjs', '--target=node', '--outfile=bun.mjs'], ['bun.mjs'], {
      project: 'runtimes',
    }),
    bundled('ncc', '@vercel/ncc', ['ncc', 'build', 'server.mjs', '--out', 'ncc'], ['ncc', 'index.mjs']),
    tsup('cjs', 'server.cjs'),
    tsup('esm', 'server.js'),
    ...[5, 6, 7, 8].map(vite),
  ],
};
