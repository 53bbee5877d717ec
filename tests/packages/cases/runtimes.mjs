import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run, withServer } from '../harness/process.mjs';
import { EXPECTED } from './expected.mjs';

const SCRIPTS = ['server.mjs', 'server.cjs', 'page.mjs', 'page.cjs'];

/** Both packages, imported and required; `command` is the program and its arguments before the script. */
function runs(name, tool, command, more = {}) {
  return {
    name,
    tool,
    project: 'runtimes',
    run: async (project) => {
      const [program, ...args] = command(project);
      for (const script of SCRIPTS) {
        assert.equal(await run(program, [...args, script], { cwd: project.dir }), EXPECTED, script);
      }
    },
    ...more,
  };
}

function node(major) {
  return runs(`Node ${major}`, `node${major}`, ({ dir }) => [join(dir, `node_modules/node${major}/bin/node`)]);
}

/** The worker as wrangler builds it: WebAssembly stays a module of its own, because workerd compiles no bytes. */
async function workerd(project) {
  const flags = ['--bundle', '--format=esm', '--conditions=workerd,worker,browser', '--loader:.wasm=copy'];
  await project.run('esbuild', 'worker.mjs', ...flags, '--asset-names=[name]', '--outfile=worker/worker.js');
  const imported = /"\.\/((\w+\.wasm)[^"]*)"/.exec(readFileSync(join(project.dir, 'worker/worker.js'), 'utf8'));
  assert.ok(imported, 'the worker imports the WebAssembly');
  const [, name, file] = imported;
  writeFileSync(
    join(project.dir, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = (compatibilityDate = "2026-01-01", modules = [
        (name = "worker.js", esModule = embed "worker/worker.js"),
        (name = "${name}", wasm = embed "worker/${file}")
      ]))],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
    );`,
  );
  const options = { cwd: project.dir, ready: /"port":(\d+)/ };
  await withServer(project.bin('workerd'), ['serve', '--control-fd=1', 'config.capnp'], options, async ([, port]) => {
    const answer = await fetch(`http://127.0.0.1:${port}`);
    assert.equal(await answer.text(), `${EXPECTED}; closed`);
  });
}

export default {
  kind: 'Runtimes',
  cases: [
    node(20),
    node(22),
    node(24),
    runs('Deno, allowed to read alone', 'deno', (project) => [
      project.bin('deno'),
      'run',
      '--allow-read',
      '--no-prompt',
    ]),
    runs('Bun', 'bun', (project) => [project.bin('bun')]),
    { name: 'workerd', tool: 'workerd', project: 'runtimes', run: workerd },
  ],
};
