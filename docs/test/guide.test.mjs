/** The pages of the built guide in a browser. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { violationsOn } from '../../tests/js/browser/axe.mjs';
import { launch, withServer } from '../../tests/js/browser/chromium.mjs';

const built = fileURLToPath(new URL('../../target/docs', import.meta.url));
const pages = ['', 'guide/'].flatMap((folder) =>
  readdirSync(join(built, folder))
    .filter((name) => name.endsWith('.html'))
    .map((name) => folder + name),
);
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** The faults of a page, and of each embedded simulation once it has started. */
async function faults(page, url, width) {
  const seen = [];
  page.on('pageerror', (error) => seen.push(String(error)));
  await page.goto(url);
  for (const simulation of await page.locator('halfopen-sim').all()) {
    await simulation.locator('.stage canvas').first().waitFor();
  }
  seen.push(...(await violationsOn(page)));
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (excess > 0) {
    seen.push(`${excess} pixels are cut off at a width of ${width}`);
  }
  return seen;
}

for (const [colorScheme, width] of [
  ['light', 1280],
  ['dark', 360],
]) {
  test(`axe finds nothing in ${colorScheme} at ${width} pixels, and nothing is cut off`, { timeout: 180_000 }, async () => {
    const context = await browser.newContext({
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width, height: 900 },
    });
    const found = {};
    await withServer(
      (path) => join(built, path === '/' ? 'index.html' : path),
      async (origin) => {
        for (const name of pages) {
          const page = await context.newPage();
          const seen = await faults(page, `${origin}/${name}`, width);
          if (seen.length > 0) {
            found[name] = seen;
          }
          await page.close();
        }
      },
    );
    await context.close();
    assert.ok(pages.length > 20, `${pages.length} pages`);
    assert.deepEqual(found, {});
  });
}
