/** The WebAssembly build. */

import { checkStack, HotPath, initSync, JsBreaker, RegistryPolicy } from '../pkg/halfopen_wasm.js';
import { letters, order } from '../pkg/module.js';
import type { Backend } from './backend.js';
import type { ClockSource } from './clock.js';
import { decoded } from './letters.js';

export { pageClock } from './clock.js';

/**
 * Starts the module that is embedded in this file, so that no bundler, server or file system can lose it. It is
 * compiled synchronously, because with a top-level `await` a worker would miss its first messages.
 *
 * @param clock - for breakers whose user gave none: the module has no clock of its own
 * @throws Error that says what to allow, where a content security policy forbids WebAssembly
 */
export function startWasm(clock: ClockSource): Backend {
  return startModule(compiled(decoded(order, letters)), clock);
}

/** Starts a module that the host has compiled, where it forbids compiling bytes. */
export function startModule(module: WebAssembly.Module, clock: ClockSource): Backend {
  if (!(module instanceof WebAssembly.Module)) {
    // Compiled in another realm, as in Next's edge runtime: wasm-bindgen would mistake it for bytes.
    Object.setPrototypeOf(module, WebAssembly.Module.prototype);
  }
  initSync({ module });
  return {
    kind: 'wasm',
    clock,
    create(config, millis) {
      const breaker = JsBreaker.create(config, millis, Math.random());
      return { core: breaker, calls: HotPath.create(breaker) };
    },
    createRegistry: RegistryPolicy.create,
    checkStack,
  };
}

function compiled(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    // The bytes are valid, so a policy forbids them; the browser's message asks for a wider permission than is needed.
    if (cause instanceof WebAssembly.CompileError) {
      throw new Error(`halfopen: the content security policy has to allow 'wasm-unsafe-eval': ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  }
}
