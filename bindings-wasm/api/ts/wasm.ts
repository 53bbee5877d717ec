/** The WebAssembly build. */

import { checkStack, HotPath, initSync, JsBreaker, latest, RegistryPolicy } from '../pkg/halfopen_wasm.js';
import { letters, order } from '../pkg/module.js';
import type { Backend } from './backend.js';
import type { Clock } from './clock.js';

export { pageClock } from './clock.js';

/** How many letters stand for a byte alone. */
const SINGLES = 88;

/**
 * Starts the module that is embedded in this file, so that no bundler, server or file system can lose it. It is
 * compiled synchronously, because with a top-level `await` a worker would miss its first messages.
 *
 * @param clock - for breakers whose user gave none: the module has no clock of its own
 * @throws Error that says what to allow, where a content security policy forbids WebAssembly
 */
export function startWasm(clock: Clock): Backend {
  return startModule(compiled(decoded()), clock);
}

/** Starts a module that the host has compiled, where it forbids compiling bytes. */
export function startModule(module: WebAssembly.Module, clock: Clock): Backend {
  if (!(module instanceof WebAssembly.Module)) {
    // Compiled in another realm, as in Next's edge runtime: wasm-bindgen would mistake it for bytes.
    Object.setPrototypeOf(module, WebAssembly.Module.prototype);
  }
  initSync({ module });
  return {
    kind: 'wasm',
    clock,
    latest: latest(),
    create(config, millis) {
      const breaker = JsBreaker.create(config, millis);
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

/** The module's bytes, from the text that `scripts/letters.mjs` has made of them. */
function decoded(): Uint8Array<ArrayBuffer> {
  const byPlace = Uint8Array.from({ length: 256 }, (_, place) =>
    Number.parseInt(order.slice(2 * place, 2 * place + 2), 16),
  );
  const bytes = new Uint8Array(letters.length);
  let length = 0;
  let shift = 0;
  for (let index = 0; index < letters.length; index++) {
    const code = letters.charCodeAt(index);
    // Two codes are no letters: those of `<` and of the backslash.
    const place = code - 35 - (code > 60 ? 1 : 0) - (code > 92 ? 1 : 0);
    if (place < SINGLES) {
      bytes[length++] = byPlace[place + shift * SINGLES] as number;
      shift = 0;
    } else {
      shift = place - SINGLES + 1;
    }
  }
  return bytes.subarray(0, length);
}
