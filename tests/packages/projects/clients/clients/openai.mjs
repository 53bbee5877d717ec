import OpenAI from 'openai';

const question = { model: 'any', messages: [{ role: 'user', content: 'hello' }] };
const ask = (baseURL, options) =>
  new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0 }).chat.completions.create(question, options);

export const request = (url, signal) => ask(url, { signal });
export const requestWithin = (url, timeout) => ask(url, { timeout });
