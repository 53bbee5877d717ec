import axios from 'axios';

export const request = (url, signal) => axios.get(url, { signal });
export const requestWithin = (url, timeout) => axios.get(url, { timeout });
