/** Replays a log on the page in Chromium: `{log, config}` on the standard input; prints what the page shows. */

import { readFileSync } from 'node:fs';

import { closeBrowser, fragmentOf, reading } from './stage.mjs';

const { log, config } = JSON.parse(readFileSync(0, 'utf8'));
await reading(
  async (reader, page) => {
    await reader.chooseLog({ name: 'log.jsonl', text: log });
    const verdict = page.getByText(/recorded calls/).last();
    await verdict.waitFor();
    const { transitions } = (await reader.copiedReports()).a;
    console.log(JSON.stringify({ verdict: await verdict.textContent(), transitions }));
  },
  { motion: 'reduce', fragment: fragmentOf({ a: config }) },
);
await closeBrowser();
