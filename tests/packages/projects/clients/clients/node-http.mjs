import { get } from 'node:http';

function text(url, options, watch = () => undefined) {
  return new Promise((resolve, reject) => {
    const sent = get(url, options, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve(body));
    });
    sent.on('error', reject);
    watch(sent);
  });
}

export const request = (url, signal) => text(url, { signal });
export const requestWithin = (url, timeout) =>
  text(url, { timeout }, (sent) => sent.on('timeout', () => sent.destroy(new Error('no answer in time'))));
