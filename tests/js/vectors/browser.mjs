/** The vectors in a real browser. */

import { withPage } from '../browser/page.mjs';
import { printResult, readVectors } from './files.mjs';

const result = await withPage(async ({ page }) => {
  return page.evaluate(async (vectors) => {
    const halfopen = await import('/halfopen/index.js');
    const { runVectors } = await import('/tests/vectors/run.mjs');
    const built = await import('/with-pool/halfopen_wasm.js');
    await built.default({ module_or_path: '/with-pool/halfopen_wasm_bg.wasm' });
    return runVectors(vectors, halfopen, built.replayPool);
  }, readVectors());
});
printResult('browser', result);
