/** Garbage, collected when a test asks for it. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** Collects until `isDone`, which may take some turns of the loop: finalizers come on a later one, when is V8's business. */
export async function collectedUntil(isDone, turns = 100) {
  for (let turn = 0; turn < turns && !isDone(); turn += 1) {
    // First, because who looks at a weak reference keeps what it refers to until the end of the turn.
    await new Promise(setImmediate);
    gc();
  }
}

/** Collects whatever nobody holds. */
export async function collected() {
  await collectedUntil(() => false, 5);
}
