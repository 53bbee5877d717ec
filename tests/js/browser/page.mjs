/** A page in a headless browser. */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch, withServer } from './chromium.mjs';

/** The folders that are served, by the first part of the path. */
const FOLDERS = {
  halfopen: dirname(fileURLToPath(import.meta.resolve('halfopen-wasm'))),
  tests: fileURLToPath(new URL('..', import.meta.url)),
  'with-pool': fileURLToPath(new URL('../../../target/with-pool', import.meta.url)),
};

function fileOf(path) {
  const [, first, ...rest] = path.split('/');
  return join(FOLDERS[first], ...rest);
}

/**
 * Runs `work({ page, origin, messages })` on a page, in a browser with these flags besides its usual ones; `messages` collects what
 * the page writes to its console.
 */
export function withPage(work, flags = []) {
  return withServer(fileOf, async (origin) => {
    const browser = await launch(flags);
    try {
      const page = await browser.newPage();
      const messages = [];
      page.on('console', (message) => messages.push(message.text()));
      page.on('pageerror', (error) => messages.push(String(error)));
      await page.goto(`${origin}/tests/browser/empty.html`);
      return await work({ page, origin, messages });
    } finally {
      await browser.close();
    }
  });
}
