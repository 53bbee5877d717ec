import superagent from 'superagent';

export function request(url, signal) {
  const sent = superagent.get(url);
  // A request has a method `then`: a listener that returned it would make its error one that nobody handles.
  signal.addEventListener('abort', () => {
    sent.abort();
  });
  return sent.then();
}

export const requestWithin = (url, limit) => superagent.get(url).timeout(limit).then();
