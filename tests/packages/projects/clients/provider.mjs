/** A provider on the loopback interface that answers no request completely. The path names the way. */

import { createServer } from 'node:http';

const WAYS = {
  /** Never answers. */
  silent: () => undefined,
  /** Begins an answer, and never ends it. */
  stalled: (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"');
  },
  /** Hangs up. */
  broken: (response) => response.destroy(),
};

/** Starts it. `requests(count)` resolves when that many further requests have come. */
export async function start() {
  let awaited = { count: 0, resolve: () => undefined };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      WAYS[request.url.split('/')[1]](response);
      awaited.count -= 1;
      if (awaited.count === 0) {
        awaited.resolve();
      }
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    requests: (count) =>
      new Promise((resolve) => {
        awaited = { count, resolve };
      }),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
