/** Garbage, collected when a test asks for it. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** Collects garbage until `isDone`: finalizers run on some later turn of the loop, which V8 chooses. */
export async function collectedUntil(isDone, turns = 100) {
  for (let turn = 0; turn < turns && !isDone(); turn += 1) {
    // First, because `deref` keeps its target alive until the end of the turn.
    await new Promise(setImmediate);
    gc();
  }
}

/** Collects all garbage. */
export async function collected() {
  await collectedUntil(() => false, 5);
}
