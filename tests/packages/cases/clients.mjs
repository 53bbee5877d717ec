import assert from 'node:assert/strict';

const CANCELLED = { cancelled: 5, failed: 0, state: 'closed' };
const FAILED = { cancelled: 0, failed: 1, state: 'open' };

/** The outcomes of one client's calls on a default breaker, for each way to end a call; `cancel.mjs` makes the calls. */
function client(name, tool, script) {
  return {
    name: `Stop and timeouts: ${name}`,
    tool,
    project: 'clients',
    run: async (project) => {
      const counts = JSON.parse(await project.run('node', 'cancel.mjs', script));
      assert.ok(counts['stopped while silent'] && counts['hung up'], 'the calls were made');
      const expected = Object.keys(counts).map((what) => [what, what.startsWith('stopped') ? CANCELLED : FAILED]);
      assert.deepEqual(counts, Object.fromEntries(expected));
    },
  };
}

export default {
  kind: 'Clients whose users press Stop',
  cases: [
    client('fetch', 'fetch', 'fetch'),
    client('node:http', 'node:http', 'node-http'),
    client('undici', 'undici', 'undici'),
    client('axios', 'axios', 'axios'),
    client('axios by fetch', 'axios', 'axios-fetch'),
    client('got', 'got', 'got'),
    client('ky', 'ky', 'ky'),
    client('superagent', 'superagent', 'superagent'),
    client('node-fetch', 'node-fetch', 'node-fetch'),
    client('openai', 'openai', 'openai'),
    client('Anthropic', '@anthropic-ai/sdk', 'anthropic'),
    client('AI SDK', 'ai', 'ai-sdk'),
    client('AWS SDK', '@aws-sdk/client-s3', 'aws-sdk'),
    client('gRPC', '@grpc/grpc-js', 'grpc'),
  ],
};
