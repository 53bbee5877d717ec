/** Runs vectors on a pool: a vector is a log, which a build of the core replays. */

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The first difference between the vector and what `replayPool` shows; undefined if there is none. */
export function poolDifference({ pool, steps = [], config_error: expectedError }, replayPool) {
  let shown;
  try {
    shown = replayPool({ pool, steps });
  } catch (error) {
    const names = [expectedError, camelCase(expectedError ?? '')];
    // The packages throw an error with the core's as its cause; the component throws the core's.
    const { code, field } = error.cause ?? error;
    return code === 'INVALID_VALUE' && names.includes(field) ? undefined : `pool: ${error}`;
  }
  if (expectedError !== undefined) {
    return `config_error: wanted ${expectedError}, seen none`;
  }
  for (const [index, step] of steps.entries()) {
    const seen = { ...shown[index], first: shown[index].picks?.[0]?.[0] ?? null };
    const key = Object.keys(step.expect ?? {}).find((name) => !same(seen[name], step.expect[name]));
    if (key !== undefined) {
      return `step ${index + 1} ${JSON.stringify(step)}: ${key}: seen ${JSON.stringify(seen[key]) ?? 'nothing'}`;
    }
  }
  return undefined;
}
