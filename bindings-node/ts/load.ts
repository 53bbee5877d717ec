/**
 * Chooses the build of the core: WebAssembly, because V8 enters it sooner than an addon (docs/benchmarks.md), and the
 * native one where WebAssembly does not start.
 */

import { hrtime } from 'node:process';

import { InvalidValueError } from '@halfopen/api';
import type { Backend, Opened } from '@halfopen/api/backend';
import type { Plain } from '@halfopen/api/host-values';
import { startWasm } from '@halfopen/api/wasm';

import { loadNative } from './load-native.js';
import type { NativeBackend } from './native-backend.js';

/** Like `performance.now()` except for its origin, in two thirds of the time. */
const clock = {
  now(): number {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1e3 + nanoseconds * 1e-6;
  },
};

/**
 * The build that the environment variable `HALFOPEN_BACKEND` asks for, or the first that starts.
 *
 * @throws AggregateError where neither starts, with the reason of each
 */
export function load(): Backend {
  const wish = wished();
  switch (wish) {
    case '':
      return loadEither();
    case 'wasm':
      return loadWasm();
    case 'native':
      return loadNative();
    default:
      throw new InvalidValueError(
        'HALFOPEN_BACKEND',
        JSON.stringify(wish),
        'native, wasm, or nothing for the first that starts',
      );
  }
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
      const reasons = `WebAssembly: ${reasonOf(wasm)}\nnative: ${reasonOf(native)}`;
      throw new AggregateError([wasm, native], `neither build of halfopen starts\n${reasons}`);
    }
  }
}

/** WebAssembly, with the native build for shared breakers. */
function loadWasm(): Backend {
  return { ...startWasm(clock), share };
}

function share(config: Plain): Opened {
  return loadedNative().share(config);
}

function loadedNative(): NativeBackend {
  try {
    return loadNative();
  } catch (fault) {
    throw new Error(`only the native build shares breakers between threads: ${reasonOf(fault)}`, { cause: fault });
  }
}

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
