/** Replays a log on the page in Chromium: `{log, config}` on the standard input; prints what the page shows. */

import { readFileSync } from 'node:fs';

import { closeBrowser, reading } from './stage.mjs';

const { log, config } = JSON.parse(readFileSync(0, 'utf8'));
const fragment = `#1.${Buffer.from(JSON.stringify({ a: config })).toString('base64url')}`;
await reading(
  async (reader, page) => {
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'log.jsonl', mimeType: 'text/plain', buffer: Buffer.from(log) });
    const verdict = page.getByText(/recorded calls/).last();
    await verdict.waitFor();
    const { transitions } = (await reader.copiedReports()).a;
    console.log(JSON.stringify({ verdict: await verdict.textContent(), transitions }));
  },
  { motion: 'reduce', fragment },
);
await closeBrowser();
