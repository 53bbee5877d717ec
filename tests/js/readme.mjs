/** The examples of the README at the top, as they stand there. */

import { readFileSync } from 'node:fs';

/** The one block of code in that language. */
export function example(language) {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code, ...more] = readme.split(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm'));
  if (code === undefined || more.length !== 1) {
    throw new Error(`the README has not just one example in ${language}`);
  }
  return code;
}
