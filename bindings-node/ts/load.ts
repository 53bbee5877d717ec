/**
 * Chooses the build of the core: WebAssembly, because V8 enters it sooner than an addon, and so a call that succeeds is
 * guarded sooner (docs/benchmarks.md); and where a host has none, the native one.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { Provider } from '../../bindings-wasm/ts/circuit.js';
import { timeOfNode } from '../../bindings-wasm/ts/entry/time-of-node.js';
import { InvalidValueError } from '../../bindings-wasm/ts/errors.js';
import { show } from '../../bindings-wasm/ts/show.js';
import { type Exports, wasmProvider } from '../../bindings-wasm/ts/wasm.js';
import { version } from '../package.json';
import { type Addon, nativeProvider } from './addon.js';

/** The build that the environment asks for, or the best that the host can load. */
export function load(): Provider {
  const wish = process.env['HALFOPEN_BACKEND'];
  switch (wish) {
    case undefined:
    case '':
      // `node --jitless` has none.
      return typeof WebAssembly === 'undefined' ? loadNative() : loadWasm();
    case 'wasm':
      return loadWasm();
    case 'native':
      return loadNative();
    default:
      throw new InvalidValueError('HALFOPEN_BACKEND', show(wish), 'native or wasm, or nothing for the best there is');
  }
}

/** The first addon that loads. */
function loadNative(): Provider {
  const require = createRequire(__filename);
  const faults: string[] = [];
  for (const candidate of candidates()) {
    try {
      const addon = require(candidate) as Addon;
      if (addon.version === version) {
        return nativeProvider(addon);
      }
      faults.push(`${candidate}: version ${addon.version}, wanted ${version}`);
    } catch (fault) {
      faults.push(`${candidate}: ${fault instanceof Error ? fault.message.split('\n')[0] : show(fault)}`);
    }
  }
  const platform = `${process.platform}-${process.arch}`;
  throw new Error(`no native build of halfopen loads on ${platform}:\n${faults.join('\n')}`);
}

/**
 * Where an addon may lie: beside this file, or in a package of its own for each platform. Which libc a Linux has is not
 * asked, because an addon for the other one does not load.
 */
function candidates(): string[] {
  const platform = `${process.platform}-${process.arch}`;
  const targets = process.platform === 'linux' ? [`${platform}-gnu`, `${platform}-musl`] : [platform];
  return targets.flatMap((target) => [join(__dirname, `halfopen.${target}.node`), `halfopen-${target}`]);
}

function loadWasm(): Provider {
  const module = new WebAssembly.Module(readFileSync(join(__dirname, 'halfopen_wasm_bg.wasm')));
  const { exports } = new WebAssembly.Instance(module);
  return wasmProvider(exports as unknown as Exports, timeOfNode);
}
