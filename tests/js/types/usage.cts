/** The same package by `require`; compiled, never run. */

import halfopen = require('halfopen');

const breaker: halfopen.CircuitBreaker = new halfopen.CircuitBreaker({ name: 'gemini' });
const state: halfopen.State = breaker.state;

export = { state };
