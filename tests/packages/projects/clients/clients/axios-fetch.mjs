import axios from 'axios';

const client = axios.create({ adapter: 'fetch' });

export const request = (url, signal) => client.get(url, { signal });
export const requestWithin = (url, timeout) => client.get(url, { timeout });
