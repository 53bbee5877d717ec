/**
 * Chooses the build of the core: WebAssembly, because V8 calls it faster than an addon (docs/benchmarks.md), and the
 * native one where WebAssembly does not start.
 */

import host from 'node:process';

import type { Backend } from '@halfopen/api/backend';
import { check } from '@halfopen/api/format-value';
import { startWasm } from '@halfopen/api/wasm';

import { loadNative } from './load-native.js';

/**
 * Like `performance.now()` with another origin, but it takes a third less time. Each reading looks `hrtime` up, because
 * fake timers replace it.
 */
const clock = {
  now(): number {
    const [seconds, nanoseconds] = host.hrtime();
    return seconds * 1e3 + nanoseconds * 1e-6;
  },
};

/** The values of the environment variable `HALFOPEN_BACKEND`. */
const BUILDS = new Map<string, () => Backend>([
  ['', loadEither],
  ['wasm', loadWasm],
  ['native', loadNative],
]);

/**
 * The build that the environment variable `HALFOPEN_BACKEND` asks for, or the first that starts.
 *
 * @throws AggregateError where neither starts, with the reason of each
 */
export function load(): Backend {
  const wish = wished();
  const loadWished = BUILDS.get(wish);
  const allowed = 'native, wasm, or nothing for the first that starts';
  check(loadWished !== undefined, 'HALFOPEN_BACKEND', wish, allowed);
  return loadWished();
}

function wished(): string {
  try {
    return process.env['HALFOPEN_BACKEND'] ?? '';
  } catch {
    // Deno without the permission to read the environment.
    return '';
  }
}

function loadEither(): Backend {
  try {
    return loadWasm();
  } catch (wasm) {
    try {
      return loadNative();
    } catch (native) {
      const message = `neither build of halfopen starts\nWebAssembly: ${wasm}\nnative: ${native}`;
      throw new AggregateError([wasm, native], message);
    }
  }
}

/** WebAssembly, with the native build for shared breakers. */
function loadWasm(): Backend {
  return { ...startWasm(() => clock), share: (config) => nativeForSharing().share(config) };
}

function nativeForSharing(): ReturnType<typeof loadNative> {
  try {
    return loadNative();
  } catch (fault) {
    const { message } = fault as Error;
    throw new Error(`only the native build shares breakers between threads: ${message}`, { cause: fault });
  }
}
