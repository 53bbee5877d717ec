/** A host of the component through jco: the clock is its own, and each instance has one. */

import { readFileSync } from 'node:fs';

import { instantiate } from '../../../bindings-wasm/dist/component/js/halfopen.js';

/** A module that jco took out of the component. */
export const core = (path) =>
  new WebAssembly.Module(readFileSync(new URL(`../../../bindings-wasm/dist/component/js/${path}`, import.meta.url)));

/** The exports of an instance that reads the time, in nanoseconds, from `now`. */
export function instance(now) {
  return instantiate(core, { 'halfopen:breaker/clock': { now } });
}
