/** A page in a headless browser, and the server that it is loaded from. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

/** The folders that are served, by the first part of the path. */
const FOLDERS = {
  halfopen: dirname(fileURLToPath(import.meta.resolve('halfopen-wasm'))),
  tests: fileURLToPath(new URL('..', import.meta.url)),
};
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

/**
 * Runs `work({ page, origin, told })` on a page, in a browser with these flags besides its usual ones; `told` collects what
 * the page writes to its console.
 */
export async function withPage(work, flags = []) {
  const server = createServer(serve);
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...FLAGS, ...flags],
  });
  try {
    const page = await browser.newPage();
    const told = [];
    page.on('console', (message) => told.push(message.text()));
    page.on('pageerror', (error) => told.push(String(error)));
    await page.goto(`${origin}/tests/browser/empty.html`);
    return await work({ page, origin, told });
  } finally {
    await browser.close();
    server.close();
  }
}

async function serve(request, response) {
  const [, first, ...rest] = normalize(decodeURIComponent(new URL(request.url, 'http://page').pathname)).split('/');
  try {
    const path = join(FOLDERS[first], ...rest);
    const body = await readFile(path);
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}
