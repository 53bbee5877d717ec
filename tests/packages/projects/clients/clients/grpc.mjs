import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';

const METHOD = '/provider.Provider/';
const definition = (name) => ({
  path: METHOD + name,
  requestStream: false,
  responseStream: false,
  requestSerialize: Buffer.from,
  requestDeserialize: String,
  responseSerialize: Buffer.from,
  responseDeserialize: String,
});

/** A provider with a method that never answers and one that always fails. */
export async function provider() {
  let awaited = { count: 0, resolve: () => undefined };
  const server = new Server();
  server.addService(
    { silent: definition('silent'), broken: definition('broken') },
    {
      silent: () => {
        awaited.count -= 1;
        if (awaited.count === 0) {
          awaited.resolve();
        }
      },
      broken: (_, answer) => answer({ code: status.UNAVAILABLE }),
    },
  );
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  return {
    origin: `127.0.0.1:${port}`,
    requests: (count) =>
      new Promise((resolve) => {
        awaited = { count, resolve };
      }),
    stop: () => server.forceShutdown(),
  };
}

export const ways = ['silent'];

function send(url, options, watch = () => undefined) {
  const [address, method] = url.split('/');
  const client = new Client(address, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(METHOD + method, Buffer.from, String, 'hello', options, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
    watch(call);
  });
}

export const request = (url, signal) => send(url, {}, (call) => signal.addEventListener('abort', () => call.cancel()));
export const requestWithin = (url, limit) => send(url, { deadline: Date.now() + limit });
