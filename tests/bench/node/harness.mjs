/**
 * Times loops of calls: the contenders in turn, round after round, so that whatever slows the machine down for a while
 * slows all of them.
 */

const ROUNDS = 15;
/** How long one contender's turn in a round takes, at least; a page's clock shows steps of a tenth of a millisecond. */
const TURN_MS = 10;

/**
 * Nanoseconds per call for each contender and each round. What a call throws is caught, as a caller would.
 *
 * @param contenders - the calls by name
 * @param loop - {@link awaited} for calls that return a promise, else {@link plain}
 */
export async function measure(path, contenders, loop) {
  console.error(path);
  const calls = {};
  const readings = {};
  for (const [name, call] of Object.entries(contenders)) {
    calls[name] = await callsInATurn(call, loop);
    readings[name] = [];
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(contenders)) {
      readings[name].push(((await turn(call, loop, calls[name])) * 1e6) / calls[name]);
    }
  }
  // A rejected call has no bare one: what is asked is how long the caller waits for its error.
  const bare = (name) => ('bare' in contenders && name !== 'bare' ? 'bare' : null);
  return Object.entries(readings).map(([name, ns]) => ({ path, contender: name, bare: bare(name), ns }));
}

/** Makes so many calls and waits for each. */
export async function awaited(call, calls) {
  for (let left = calls; left > 0; left--) {
    try {
      await call();
    } catch {
      // a caller would go elsewhere
    }
  }
}

/** Makes so many calls that return no promise. */
export function plain(call, calls) {
  for (let left = calls; left > 0; left--) {
    try {
      call();
    } catch {
      // a caller would go elsewhere
    }
  }
}

/** A power of two times so many that a turn is long enough. */
async function callsInATurn(call, loop) {
  let calls = 100;
  // Twice, because what is compiled while it is tried is faster the next time.
  while ((await turn(call, loop, calls)) < TURN_MS || (await turn(call, loop, calls)) < TURN_MS) {
    calls *= 2;
  }
  return calls;
}

/** Milliseconds for so many calls. */
async function turn(call, loop, calls) {
  globalThis.gc?.();
  // What a breaker has left for the event loop to do is not done in another's turn.
  await new Promise((done) => setTimeout(done));
  const start = performance.now();
  await loop(call, calls);
  return performance.now() - start;
}
