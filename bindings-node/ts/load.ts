/** Chooses the build of the core: the native one where it loads, and else the WebAssembly that comes along. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { Provider } from '../../bindings-wasm/ts/circuit.js';
import { InvalidValueError } from '../../bindings-wasm/ts/errors.js';
import { show } from '../../bindings-wasm/ts/show.js';
import { type Exports, imports, wasmProvider } from '../../bindings-wasm/ts/wasm.js';
import { version } from '../package.json';
import { type Addon, nativeProvider } from './addon.js';

/** The build that the environment asks for, or the best that there is. */
export function load(): Provider {
  const wish = process.env['HALFOPEN_BACKEND'];
  switch (wish) {
    case undefined:
    case '':
      return loadNative([]) ?? loadWasm();
    case 'wasm':
      return loadWasm();
    case 'native':
      return forceNative();
    default:
      throw new InvalidValueError('HALFOPEN_BACKEND', show(wish), 'native or wasm, or nothing for the best there is');
  }
}

function forceNative(): Provider {
  const faults: string[] = [];
  const native = loadNative(faults);
  if (native === undefined) {
    const platform = `${process.platform}-${process.arch}`;
    throw new Error(`HALFOPEN_BACKEND=native, but no native build loads on ${platform}:\n${faults.join('\n')}`);
  }
  return native;
}

/** The first addon that loads; why the others do not is told to `faults`. */
function loadNative(faults: string[]): Provider | undefined {
  const require = createRequire(__filename);
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
  return undefined;
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
  const { exports } = new WebAssembly.Instance(module, imports);
  return wasmProvider(exports as unknown as Exports);
}
