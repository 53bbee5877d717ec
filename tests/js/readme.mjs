/** The examples in a README, as they stand there. */

import { readFileSync } from 'node:fs';

/** The one block of code in that language; in the README at the top, unless another is named. */
export function example(language, path = 'README.md') {
  const readme = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const [, code, ...more] = readme.split(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm'));
  if (code === undefined || more.length !== 1) {
    throw new Error(`${path} has not just one example in ${language}`);
  }
  return code;
}
