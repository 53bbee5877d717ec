/** The vectors in a real browser. */

import { withPage } from '../browser/page.mjs';
import { readVectors, tell } from './files.mjs';

const result = await withPage(async ({ page }) => {
  return page.evaluate(async (vectors) => {
    const halfopen = await import('/halfopen/index.js');
    const { runVectors } = await import('/tests/vectors/run.mjs');
    return runVectors(vectors, halfopen);
  }, readVectors());
});
tell('browser', result);
