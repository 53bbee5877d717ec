/** Runs vectors on the registry of a package. */

const OUTCOMES = { success: 'success', failure: 'failure', ignored: 'ignore', cancelled: 'cancel' };

const camelCase = (name) => name.replace(/_([a-z_])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`);
const inCamelCase = (fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The first difference between the package and the vector; undefined if there is none. */
export function registryDifference(vector, halfopen) {
  let session;
  try {
    session = new RegistrySession(vector.registry, halfopen);
  } catch (error) {
    return error instanceof halfopen.InvalidValueError && error.field === vector.config_error
      ? undefined
      : `registry: seen ${error}`;
  }
  if (vector.config_error !== undefined) {
    return `config_error: wanted ${vector.config_error}, seen none`;
  }
  for (const [index, step] of vector.steps.entries()) {
    const found = session.step(step);
    if (found !== undefined) {
      return `step ${index + 1} ${JSON.stringify(step)}: ${found}`;
    }
  }
  return undefined;
}

/** A registry whose breakers have a manual clock. It keeps permits, but no breaker. */
class RegistrySession {
  #permits = new Map();

  constructor({ bound }, halfopen) {
    this.halfopen = halfopen;
    this.clock = new halfopen.ManualClock();
    this.registry = new halfopen.Registry(bound, { clock: this.clock });
  }

  step(step) {
    this.clock.set(step.at_ms);
    const wanted = step.expect ?? {};
    let seen;
    try {
      seen = this.#apply(step);
    } catch (error) {
      if (typeof error.code !== 'string') {
        throw error;
      }
      if (!('error' in wanted)) {
        return `refused: ${error.message}`;
      }
      seen = { error: error.code, field: error.field && snakeCase(error.field) };
    }
    seen = { ...seen, names: this.registry.names(), bound: this.registry.bound };
    const key = Object.keys(wanted).find((name) => !same(seen[name], wanted[name]));
    return key && `${key}: wanted ${JSON.stringify(wanted[key])}, seen ${JSON.stringify(seen[key]) ?? 'nothing'}`;
  }

  #apply(step) {
    const { registry } = this;
    if ('get_or_create' in step) {
      registry.getOrCreate(inCamelCase(step.get_or_create));
    } else if ('remove' in step) {
      registry.remove(step.remove);
    } else if ('remove_unused' in step) {
      return { removed: registry.removeUnused() };
    } else if ('set_bound' in step) {
      registry.setBound(step.set_bound);
    } else if ('acquire' in step) {
      return { admitted: this.#acquire(step) };
    } else if ('settle' in step) {
      const permit = this.#take(step.settle);
      permit[OUTCOMES[step.outcome]]();
      permit[Symbol.dispose]();
    } else if ('drop' in step) {
      // `using` does this at the end of its block.
      this.#take(step.drop)[Symbol.dispose]();
    } else if ('disable' in step) {
      registry.get(step.disable).disable();
    } else if ('reset' in step) {
      registry.get(step.reset).reset();
    } else if ('reconfigure' in step) {
      registry.get(step.reconfigure.name).reconfigure(inCamelCase(step.reconfigure));
    }
    return {};
  }

  #acquire({ acquire, of }) {
    try {
      this.#permits.set(acquire, this.registry.get(of).acquire());
      return true;
    } catch (error) {
      if (error instanceof this.halfopen.CircuitBreakerOpenError) {
        return false;
      }
      throw error;
    }
  }

  #take(id) {
    const permit = this.#permits.get(id);
    this.#permits.delete(id);
    return permit;
  }
}
