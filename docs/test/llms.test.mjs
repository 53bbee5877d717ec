/** The guide as text, `llms.txt` and `llms-full.txt`, beside its pages. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../target/docs', import.meta.url));
const read = (name) => readFileSync(join(built, name), 'utf8');
const pages = ['', 'guide/'].flatMap((folder) =>
  readdirSync(join(built, folder))
    .filter((name) => name.endsWith('.html') && !['404.html', 'index.html'].includes(name))
    .map((name) => `/${folder}${name.replace('.html', '.md')}`),
);

test('llms.txt lists each page of the guide once, and each page is there as text', () => {
  const linked = [...read('llms.txt').matchAll(/\]\((\/[^)#]+\.md)\)/g)].map(([, path]) => path);
  assert.deepEqual(linked.toSorted(), pages.toSorted());
  assert.deepEqual(
    linked.filter((path) => !existsSync(join(built, path))),
    [],
  );
});

test('llms-full.txt holds the text of each page', () => {
  const whole = read('llms-full.txt');
  const withoutFrontMatter = (text) => text.replace(/^---\n.*?\n---\n/s, '').trim();
  assert.deepEqual(
    pages.filter((page) => !whole.includes(withoutFrontMatter(read(page.slice(1))))),
    [],
  );
});
