import { request as send } from 'undici';

const text = async (url, options) => (await send(url, options)).body.text();

export const request = (url, signal) => text(url, { signal });
export const requestWithin = (url, limit) => text(url, { headersTimeout: limit });
