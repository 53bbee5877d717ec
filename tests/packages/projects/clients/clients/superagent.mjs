import superagent from 'superagent';

export function request(url, signal) {
  const sent = superagent.get(url);
  // In braces, because a request is a thenable: returned from a listener, its error would be an unhandled rejection.
  signal.addEventListener('abort', () => {
    sent.abort();
  });
  return sent.then();
}

export const requestWithin = (url, limit) => superagent.get(url).timeout(limit).then();
