/** Projects of users: a folder with its tools as its lock file pins them, and the packed packages. */

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { TARGET, tarballs } from './packages.mjs';
import { run, withServer } from './process.mjs';

export const PROJECTS = fileURLToPath(new URL('../projects', import.meta.url));

const opened = new Map();

/** The project of that name, installed anew in this process; its tools stay from run to run until the lock file changes. */
export function open(name) {
  if (!opened.has(name)) {
    opened.set(name, install(name));
  }
  return opened.get(name);
}

async function install(name) {
  const source = join(PROJECTS, name);
  const dir = join(TARGET, name);
  const modules = join(dir, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const entry of readdirSync(dir).filter((entry) => entry !== 'node_modules')) {
    rmSync(join(dir, entry), { recursive: true });
  }
  // The scripts that many projects run, and its own.
  cpSync(join(PROJECTS, 'shared'), dir, { recursive: true });
  cpSync(source, dir, { recursive: true });

  const lock = createHash('sha256')
    .update(readFileSync(join(source, 'package-lock.json')))
    .digest('hex');
  const stamp = join(modules, '.lock-hash');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: dir });
    writeFileSync(stamp, lock);
  }
  // The caches of tools hold the packages of earlier runs.
  for (const cache of readdirSync(modules).filter((entry) => /^\.(vite|cache|vitest|deno)/.test(entry))) {
    rmSync(join(modules, cache), { recursive: true });
  }
  // The packages have no dependencies, which a case checks, so unpacking one installs it.
  for (const [name, { path }] of Object.entries(await tarballs())) {
    rmSync(join(modules, name), { recursive: true, force: true });
    mkdirSync(join(modules, name));
    await run('tar', ['-xzf', path, '--strip-components=1', '-C', join(modules, name)], { cwd: dir });
  }
  return new Project(dir);
}

class Project {
  /** Its folder. */
  dir;

  constructor(dir) {
    this.dir = dir;
  }

  /** The path of a program that one of its tools brings. */
  bin(name) {
    return join(this.dir, 'node_modules/.bin', name);
  }

  /** Runs one of its tools, or `node`; returns the output. */
  run(tool, ...args) {
    return run(tool === 'node' ? process.execPath : this.bin(tool), args, { cwd: this.dir });
  }

  /** As {@link withServer}, with one of its tools. */
  serve(tool, args, ready, work) {
    return withServer(this.bin(tool), args, { cwd: this.dir, ready }, work);
  }

  /**
   * Runs a file that a bundler has built, alone in a folder outside of the project, so that it cannot find a missing part in
   * `node_modules`. `build` is the file, or the folder that it lies in, with `entry`.
   */
  async runAlone(build, entry) {
    const alone = mkdtempSync(join(tmpdir(), 'halfopen-bundle-'));
    try {
      const file = entry ?? build.split('/').at(-1);
      cpSync(join(this.dir, build), entry === undefined ? join(alone, file) : alone, { recursive: true });
      return await run(process.execPath, [file], { cwd: alone });
    } finally {
      rmSync(alone, { recursive: true });
    }
  }
}
