import fetch from 'node-fetch';

export const request = async (url, signal) => (await fetch(url, { signal })).text();
