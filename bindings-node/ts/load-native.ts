/** Loads the addon for this platform. */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import type * as Addon from '../native/index.js';
import { version } from '../package.json';
import { type NativeBackend, nativeBackend } from './native-backend.js';

let loaded: NativeBackend | undefined;

/**
 * The native build, loaded once.
 *
 * @throws Error that says why each candidate does not load
 */
export function loadNative(): NativeBackend {
  loaded ??= nativeBackend(load());
  return loaded;
}

/** Tries the places of an addon: beside this file, or in the package of its platform. */
function load(): typeof Addon {
  const platform = `${process.platform}-${process.arch}`;
  // An addon for the other libc does not load.
  const targets = process.platform === 'linux' ? [`${platform}-gnu`, `${platform}-musl`] : [platform];
  // In a bundle of ECMAScript modules there is no file name.
  const requireAddon = createRequire(typeof __filename === 'string' ? __filename : join(process.cwd(), 'bundle.js'));
  const faults: string[] = [];
  for (const candidate of targets.flatMap((target) => [`./halfopen.${target}.node`, `halfopen-${target}`])) {
    try {
      const addon: typeof Addon = requireAddon(candidate);
      if (addon.VERSION === version) {
        return addon;
      }
      faults.push(`${candidate}: version ${addon.VERSION}, wanted ${version}`);
    } catch (fault) {
      faults.push(`${candidate}: ${String(fault).split('\n')[0]}`);
    }
  }
  // Bundlers copy no addons.
  const hint = 'a bundler has to leave the package out';
  throw new Error(`no native build of halfopen loads on ${platform} (${hint}):\n${faults.join('\n')}`);
}
