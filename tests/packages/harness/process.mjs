/** Programs, run as a user of the packages would run them. */

import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const LIMIT_MS = 240_000;

/** A user's environment: without the variables of this test run and of npm, and without telemetry. */
export const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|HALFOPEN_|NODE_|CI$|FORCE_COLOR$)/i.test(name)),
  ),
  NO_COLOR: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  DENO_NO_UPDATE_CHECK: '1',
};

/** The standard output of a program; rejects with all of its output if it fails. */
export async function run(program, args, { cwd, env = {} }) {
  try {
    const { stdout } = await execute(program, args, {
      cwd,
      env: { ...environment, ...env },
      timeout: LIMIT_MS,
      maxBuffer: 64 << 20,
    });
    return stdout.trim();
  } catch (error) {
    const { code, signal, stdout = '', stderr = '' } = error;
    const wrote = `${stdout}\n${stderr}`.trim().slice(-6000);
    throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}\n${wrote}`);
  }
}

/** Starts a server, waits for a line that `ready` matches, hands the match to `work`, and stops the server afterwards. */
export async function withServer(program, args, { cwd, env = {}, ready }, work) {
  const child = spawn(program, args, { cwd, env: { ...environment, ...env }, detached: true, stdio: 'pipe' });
  let wrote = '';
  try {
    const match = await new Promise((resolve, reject) => {
      const look = (chunk) => {
        wrote += chunk;
        const found = ready.exec(wrote);
        if (found) {
          resolve(found);
        }
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.on('error', reject);
      child.on('exit', (code, signal) => reject(new Error(`the server ended with ${signal ?? code}`)));
    });
    return await work(match);
  } catch (error) {
    throw new Error(`${error.message}\n${program} ${args.join(' ')} wrote:\n${wrote.slice(-6000)}`, { cause: error });
  } finally {
    stop(child);
  }
}

/** A server has children of its own, which are in its process group. */
function stop(child) {
  if (child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, 'SIGKILL');
  }
}
