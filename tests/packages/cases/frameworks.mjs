import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { title } from '../harness/chromium.mjs';
import { EXPECTED } from './expected.mjs';

const READY = /http:\/\/[\w.]+:\d+/;

/** The text of a page that the server rendered. */
async function rendered(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, url);
  return /<output>(.*?)<\/output>/s.exec(await answer.text())?.[1];
}

/** Every way to serve the project: pages rendered at build and by request, routes, and the page in a browser. */
async function served([url], hasEdge) {
  const origin = url.replace('0.0.0.0', '127.0.0.1');
  assert.equal(await rendered(`${origin}/`), EXPECTED);
  assert.equal(await (await fetch(`${origin}/api`)).text(), EXPECTED);
  if (hasEdge) {
    assert.equal(await (await fetch(`${origin}/edge`)).text(), EXPECTED);
  }
  assert.equal(await rendered(`${origin}/client`), 'closed');
  assert.equal(await title(`${origin}/client`), EXPECTED);
}

function next(name, build, start, hasEdge = true) {
  return {
    name,
    tool: 'next',
    project: 'next',
    run: async (project) => {
      rmSync(join(project.dir, '.next'), { recursive: true, force: true });
      if (!hasEdge) {
        rmSync(join(project.dir, 'app/edge'), { recursive: true });
      }
      if (build) {
        await project.run('next', ...build);
      }
      const args = [...start, '--port', '0', '--hostname', '127.0.0.1'];
      await project.serve('next', args, READY, (line) => served(line, hasEdge));
    },
  };
}

export default {
  kind: 'Frameworks',
  cases: [
    next('Next, built', ['build'], ['start']),
    next('Next, development server', undefined, ['dev']),
    // With webpack, Next 16.4 fails to build any route for the edge, one without a breaker too.
    next('Next, built by webpack', ['build', '--webpack'], ['start'], false),
  ],
};
