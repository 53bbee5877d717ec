/** The WebAssembly build. */

import { Circuit, checkStack, initSync, latestMillis } from '../pkg/halfopen_wasm.js';
import { hexadecimal } from '../pkg/module.js';
import type { Backend } from './backend.js';
import type { Clock } from './clock.js';

export { pageClock } from './clock.js';

/**
 * Starts the module that lies inside this file, so that no bundler, server or file system can lose it. It is compiled
 * synchronously, because a top-level `await` would let a worker miss its first messages.
 *
 * @param clock - for circuits whose user gave none: the module has no clock of its own
 */
export function startWasm(clock: Clock): Backend {
  return startModule(new WebAssembly.Module(decoded(hexadecimal)), clock);
}

/** Starts a module that the host has compiled, where it forbids compiling bytes. */
export function startModule(module: WebAssembly.Module, clock: Clock): Backend {
  initSync({ module });
  return {
    kind: 'wasm',
    clock,
    latestMillis: latestMillis(),
    create: (config, millis) => new Circuit(config, millis),
    checkStack,
  };
}

/** Hexadecimal and not base 64, because it compresses to a seventh less: equal bytes stay equal texts. */
function decoded(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.substr(index * 2, 2), 16));
}
