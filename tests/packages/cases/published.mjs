import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { PACKAGES, ROOT, tarballs } from '../harness/packages.mjs';
import { run } from '../harness/process.mjs';

/** The most bytes that a page may load, WebAssembly included, as servers send it. */
const PAGE_LIMIT = 80 * 1024;

/** All files of a published package, by their path in it. */
function files(folder) {
  return readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
}

const NAMES = Object.keys(PACKAGES);

export default {
  kind: 'As published',
  cases: [
    ...NAMES.map((name) => ({
      name: `${name}: publint`,
      quick: true,
      run: async () => {
        const { messages, pkg } = await publint({ pkgDir: join(ROOT, PACKAGES[name]), strict: true });
        assert.deepEqual(
          messages.map((message) => formatMessage(message, pkg)),
          [],
        );
      },
    })),
    ...NAMES.map((name) => ({
      name: `${name}: are the types wrong?`,
      quick: true,
      run: async () => {
        const { path } = (await tarballs())[name];
        await run(join(ROOT, 'node_modules/.bin/attw'), ['--profile', 'node16', path], { cwd: ROOT });
      },
    })),
    {
      name: 'npm installs both and nothing else',
      quick: true,
      run: async () => {
        const folder = mkdtempSync(join(tmpdir(), 'halfopen-install-'));
        try {
          writeFileSync(join(folder, 'package.json'), '{ "private": true }');
          const paths = Object.values(await tarballs()).map(({ path }) => path);
          await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...paths], { cwd: folder });
          const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
          assert.deepEqual(installed, NAMES);
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    },
    {
      name: 'what is published shows no folder of this repository',
      project: 'plain',
      quick: true,
      run: async (project) => {
        for (const name of NAMES) {
          const folder = join(project.dir, 'node_modules', name);
          for (const path of files(folder)) {
            assert.doesNotMatch(path, /bindings|api\/|(^|\/)ts\//, name);
            if (/\.([cm]?js|[cm]?ts|map)$/.test(path)) {
              assert.doesNotMatch(
                readFileSync(join(folder, path), 'utf8'),
                /bindings-|@halfopen|\.\.\/ts\//,
                `${name}/${path}`,
              );
            }
          }
        }
      },
    },
    {
      name: 'size',
      project: 'esbuild',
      quick: true,
      run: async (project) => {
        for (const [name, { size }] of Object.entries(await tarballs())) {
          console.log(`${name}: the tarball has ${size} bytes`);
        }
        const build = ['page.mjs', '--bundle', '--minify', '--format=esm', '--outfile=size/page.js'];
        await project.run('esbuild', ...build);
        const itself = join(project.dir, 'node_modules/halfopen-wasm/dist');
        for (const [what, folder, paths] of [
          ['a page that imports it', itself, ['index.js']],
          ['a bundled page', join(project.dir, 'size'), files(join(project.dir, 'size'))],
        ]) {
          const sizes = paths.map((path) => gzipSync(readFileSync(join(folder, path)), { level: 9 }).length);
          const sent = sizes.reduce((sum, size) => sum + size);
          console.log(`halfopen-wasm: ${what} loads ${sent} bytes, gzipped`);
          assert.ok(sent <= PAGE_LIMIT, `${what}: ${sent} bytes`);
        }
      },
    },
  ],
};
