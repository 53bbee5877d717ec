import Anthropic from '@anthropic-ai/sdk';

const question = { model: 'any', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };
const ask = (baseURL, options) =>
  new Anthropic({ apiKey: 'none', baseURL, maxRetries: 0 }).messages.create(question, options);

export const request = (url, signal) => ask(url, { signal });
export const requestWithin = (url, timeout) => ask(url, { timeout });
