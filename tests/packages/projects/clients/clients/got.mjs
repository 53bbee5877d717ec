import got from 'got';

const client = got.extend({ retry: { limit: 0 } });

export const request = (url, signal) => client(url, { signal }).text();
export const requestWithin = (url, limit) => client(url, { timeout: { request: limit } }).text();
