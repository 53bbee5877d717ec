/** The two packages as npm would publish them. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './process.mjs';

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Everything that is installed and built here. */
export const TARGET = join(ROOT, 'target/packages');

/** The folder of each package, by the name that it is installed under. */
export const PACKAGES = { halfopen: 'bindings-node', 'halfopen-wasm': 'bindings-wasm' };

let packed;

/** The paths of both tarballs, packed once in this process, and what npm says about each. */
export function tarballs() {
  packed ??= pack();
  return packed;
}

async function pack() {
  mkdirSync(TARGET, { recursive: true });
  const folder = mkdtempSync(join(TARGET, 'tarballs-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const entries = Object.entries(PACKAGES).map(async ([name, source]) => {
    const [report] = JSON.parse(
      await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], { cwd: join(ROOT, source) }),
    );
    return [name, { path: join(folder, report.filename), size: report.size }];
  });
  return Object.fromEntries(await Promise.all(entries));
}
