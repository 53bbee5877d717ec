/** Pages in Debian's Chromium. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let launched;

/** The title of the page at `url` when it is done; rejects with the page's errors, or with its output until then. */
export async function title(url) {
  launched ??= chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
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
export async function withFolder(folder, work, headers = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://page').pathname));
    try {
      const body = await readFile(join(folder, path.endsWith('/') ? `${path}index.html` : path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html', ...headers });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  try {
    return await work(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
