/** The vectors on disk, and the report on them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const OURS = fileURLToPath(new URL('../../vectors', import.meta.url));

/** All vectors in `tests/vectors`, and in the folder that `HALFOPEN_VECTORS` names. */
export function readVectors() {
  const further = process.env.HALFOPEN_VECTORS;
  // npm runs scripts in the folder of the package, and says where it was called.
  const base = process.env.INIT_CWD ?? process.cwd();
  return [OURS, ...(further ? [resolve(base, further)] : [])].flatMap(readFolder);
}

function readFolder(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.json'));
  const vectors = files.sort().flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const ids = vectors.map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (twice.length > 0) {
    throw new Error(`ids that occur twice in ${folder}: ${twice.join(', ')}`);
  }
  return vectors;
}

/** Prints the result; the process fails if a vector failed or none ran. */
export function printResult(runner, { passed, failures }) {
  for (const failure of failures) {
    console.log(failure);
  }
  console.log(`vectors ${runner}: ${passed} passed, ${failures.length} failed`);
  if (failures.length > 0 || passed === 0) {
    process.exitCode = 1;
  }
}
