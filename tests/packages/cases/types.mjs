import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The ways to look a package up, and the files of a project that uses that. */
const RESOLUTIONS = {
  node16: { module: 'node16', files: ['usage.mts', 'usage.cts'] },
  nodenext: { module: 'nodenext', files: ['usage.mts', 'usage.cts'] },
  bundler: { module: 'preserve', moduleResolution: 'bundler', files: ['bundled.ts'] },
};

/** Checks with every declaration of the packages, compiles, and runs what is CommonJS. */
function compiled(major, resolution) {
  const { files, ...options } = RESOLUTIONS[resolution];
  return {
    name: `TypeScript ${major}, ${resolution}`,
    tool: `typescript${major}`,
    project: 'types',
    quick: major === 7,
    run: async (project) => {
      const config = `tsconfig.${major}.${resolution}.json`;
      const out = `out-${major}-${resolution}`;
      writeFileSync(
        join(project.dir, config),
        JSON.stringify({ extends: './tsconfig.json', compilerOptions: { ...options, outDir: out }, files }),
      );
      rmSync(join(project.dir, out), { recursive: true, force: true });
      await project.run('node', `node_modules/typescript${major}/bin/tsc`, '-p', config);
      if (files.includes('usage.cts')) {
        assert.equal(await project.run('node', `${out}/usage.cjs`), 'true closed closed');
      }
    },
  };
}

export default {
  kind: 'TypeScript',
  cases: [5, 6, 7].flatMap((major) => Object.keys(RESOLUTIONS).map((resolution) => compiled(major, resolution))),
};
