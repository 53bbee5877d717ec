/** Scripts in a process of their own. */

import { execFileSync } from 'node:child_process';

/**
 * Runs a module in a process of its own and returns its output.
 *
 * Without colours: Node's test runner asks for them where it writes to a terminal, and a process takes that on.
 */
export function printedBy(script) {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
    env: { ...process.env, FORCE_COLOR: undefined },
    encoding: 'utf8',
    timeout: 60_000,
  });
}
