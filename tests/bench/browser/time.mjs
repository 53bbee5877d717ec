/** Measures a guarded call in a page and writes the readings of all rounds to the given file. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { withPage } from '../../js/browser/page.mjs';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('page.mjs', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
  // Import the package as it is served; do not bundle it again.
  external: ['/halfopen/index.js'],
});

const measured = async ({ page }) => {
  page.on('console', (message) => console.error(message.text()));
  page.on('pageerror', (error) => console.error(error));
  await page.addScriptTag({ type: 'module', content: outputFiles[0].text });
  await page.waitForFunction(() => 'measured' in globalThis);
  return {
    rows: await page.evaluate(() => globalThis.measured),
    version: page.context().browser().version(),
  };
};
// The harness collects garbage between turns, so that no contender pays for another's garbage.
const { rows, version } = await withPage(measured, ['--js-flags=--expose-gc']);
writeFileSync(process.argv[2], JSON.stringify({ versions: { Chromium: version }, rows }));
