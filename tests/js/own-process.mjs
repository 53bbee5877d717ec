/** Scripts in a process of their own. */

import { execFileSync } from 'node:child_process';

/**
 * Runs a module in a process of its own and returns its output.
 *
 * Without colours, which a child would inherit from Node's test runner in a terminal.
 */
export function printedBy(script) {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
    env: { ...process.env, FORCE_COLOR: undefined },
    encoding: 'utf8',
    timeout: 60_000,
  });
}
