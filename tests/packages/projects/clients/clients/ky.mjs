import ky from 'ky';

const client = ky.create({ retry: 0, timeout: false });

export const request = (url, signal) => client(url, { signal }).text();
export const requestWithin = (url, timeout) => client(url, { timeout }).text();
