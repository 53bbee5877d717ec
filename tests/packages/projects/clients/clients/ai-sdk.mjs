import { createOpenAI } from '@ai-sdk/openai';
import { generateText } from 'ai';

const ask = (baseURL, options) =>
  generateText({
    model: createOpenAI({ apiKey: 'none', baseURL }).chat('any'),
    prompt: 'hello',
    maxRetries: 0,
    ...options,
  });

export const request = (url, abortSignal) => ask(url, { abortSignal });
export const requestWithin = (url, timeout) => ask(url, { timeout });
