/** Pages in Debian's Chromium. */

import { join } from 'node:path';

import { launch, withServer } from '../../js/browser/chromium.mjs';

let launched;

/** The title of the page at `url` when it is done; rejects with the page's errors, or with its output until then. */
export async function title(url) {
  launched ??= launch();
  const context = await (await launched).newContext();
  try {
    const page = await context.newPage();
    const wrote = [];
    page.on('console', (message) => wrote.push(message.text()));
    page.on('pageerror', (error) => wrote.push(error.stack ?? String(error)));
    await page.goto(url);
    await page
      .waitForFunction(() => document.title !== '', undefined, { timeout: 15_000 })
      .catch(() => {
        throw new Error(`the page never got a title; it wrote: ${wrote.join('\n') || 'nothing'}`);
      });
    return await page.title();
  } finally {
    await context.close();
  }
}

/** Closes the browser, if one was opened. */
export async function closeChromium() {
  await (await launched)?.close();
}

/** Serves a folder, with these headers, while `work` runs with its origin. */
export function withFolder(folder, work, headers = {}) {
  const fileOf = (path) => join(folder, path.endsWith('/') ? `${path}index.html` : path);
  return withServer(fileOf, work, headers);
}
