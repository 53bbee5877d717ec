export const request = async (url, signal) => (await fetch(url, { signal })).text();
export const requestWithin = (url, limit) => request(url, AbortSignal.timeout(limit));
