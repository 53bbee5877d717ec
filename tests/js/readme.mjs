/** The first examples of the READMEs, for tests of what they do. tests/documents runs all of them. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

/** The first block of code in that language. */
export function example(language, path) {
  const readme = readFileSync(new URL(path, ROOT), 'utf8');
  const [, code] = readme.split(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm'));
  if (code === undefined) {
    throw new Error(`${path} has no example in ${language}`);
  }
  return code;
}

/** The exports of the first example in JavaScript. */
export async function importExample(path) {
  const folder = new URL('target/documents/', ROOT);
  mkdirSync(folder, { recursive: true });
  const module = new URL(`example-${process.pid}.mjs`, folder);
  writeFileSync(module, example('js', path));
  return import(module);
}
