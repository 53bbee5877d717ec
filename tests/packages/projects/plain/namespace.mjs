/** A module of settings, imported as a whole, is a configuration. */

import assert from 'node:assert/strict';

import * as settings from './settings.mjs';

const { CircuitBreaker, InvalidValueError } = await import(process.argv[2]);

const breaker = new CircuitBreaker(settings);
assert.equal(breaker.config.name, 'from a module');
assert.equal(breaker.config.failureThreshold, 1);
assert.ok(breaker.matches(settings));
breaker.reconfigure({ ...settings, failureThreshold: 2 });
breaker.reconfigure(settings);
assert.equal(breaker.config.failureThreshold, 1);

// Another export of a module counts as a misspelt field, as in any other object.
const other = await import('./story.mjs');
assert.throws(() => new CircuitBreaker(other), InvalidValueError);
console.log('right');
