/**
 * Times loops of calls. The contenders take turns in each round, so that a temporary slowdown of the machine affects all
 * of them.
 */

const ROUNDS = 15;
/** The minimum time of one contender's turn; the clock of a page has a resolution of 0.1 ms. */
const TURN_MS = 10;

/**
 * Nanoseconds per call for each contender and each round. Errors are caught, as a caller would do.
 *
 * @param contenders - the calls by name
 * @param loop - {@link awaited} for calls that return a promise, else {@link plain}
 */
export async function measure(path, contenders, loop) {
  console.error(path);
  const calls = {};
  const readings = {};
  for (const [name, call] of Object.entries(contenders)) {
    calls[name] = await callsPerTurn(call, loop);
    readings[name] = [];
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(contenders)) {
      readings[name].push(((await turn(call, loop, calls[name])) * 1e6) / calls[name]);
    }
  }
  // Rejections have no bare call to subtract: the figure is the time until the caller has the error.
  const bare = (name) => ('bare' in contenders && name !== 'bare' ? 'bare' : null);
  return Object.entries(readings).map(([name, ns]) => ({ path, contender: name, bare: bare(name), ns }));
}

/** Makes the calls and awaits each. */
export async function awaited(call, calls) {
  for (let left = calls; left > 0; left--) {
    try {
      await call();
    } catch {
      // a caller would use another provider
    }
  }
}

/** Makes calls that return no promise. */
export function plain(call, calls) {
  for (let left = calls; left > 0; left--) {
    try {
      call();
    } catch {
      // a caller would use another provider
    }
  }
}

/** Doubles the number of calls until a turn is long enough. */
async function callsPerTurn(call, loop) {
  let calls = 100;
  // Twice, because code that was compiled during the first try is faster in the second.
  while ((await turn(call, loop, calls)) < TURN_MS || (await turn(call, loop, calls)) < TURN_MS) {
    calls *= 2;
  }
  return calls;
}

/** Milliseconds for the given number of calls. */
async function turn(call, loop, calls) {
  globalThis.gc?.();
  // Run pending tasks of this breaker before another contender's turn.
  await new Promise((done) => setTimeout(done));
  const start = performance.now();
  await loop(call, calls);
  return performance.now() - start;
}
