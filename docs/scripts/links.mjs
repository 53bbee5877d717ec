// Fails if a link of the built site leads nowhere. Links to other sites are not followed.

import { LinkChecker } from 'linkinator';

const path = new URL('../../target/docs/', import.meta.url).pathname;
const checker = new LinkChecker();
const dead = [];
let checked = 0;
checker.on('link', ({ url, state, parent }) => {
  checked += state === 'SKIPPED' ? 0 : 1;
  if (state === 'BROKEN') {
    dead.push(`${parent} links to ${url}, which does not exist`);
  }
});
await checker.check({
  path,
  recurse: true,
  concurrency: 20,
  linksToSkip: (link) => Promise.resolve(!/^http:\/\/(localhost|127\.0\.0\.1)/.test(link)),
});
if (dead.length > 0) {
  console.error(dead.join('\n'));
  process.exit(1);
}
console.log(`${checked} links within the site are alive`);
