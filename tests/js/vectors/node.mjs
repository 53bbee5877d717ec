/** The vectors in Node, on the build that `HALFOPEN_BACKEND` names. */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as halfopen from 'halfopen';

import { printResult, readVectors } from './files.mjs';
import { runVectors } from './run.mjs';

const replayPool = halfopen.backend === 'native' ? nativeReplay() : await wasmReplay();
printResult(`node-${halfopen.backend}`, runVectors(readVectors(), halfopen, replayPool));

/** The function `replayPool` of the addon beside the package. */
function nativeReplay() {
  const dist = dirname(fileURLToPath(import.meta.resolve('halfopen')));
  const addon = readdirSync(dist).find((name) => name.endsWith('.node'));
  return createRequire(import.meta.url)(join(dist, addon)).replayPool;
}

/** The function `replayPool` of a module that is built for the vectors. */
async function wasmReplay() {
  const built = await import('../../../target/with-pool/halfopen_wasm.js');
  built.initSync({ module: readFileSync(new URL('../../../target/with-pool/halfopen_wasm_bg.wasm', import.meta.url)) });
  return built.replayPool;
}
