/**
 * Runs vectors through the public API, in any host: the caller passes the vectors, the package, and the build's function
 * that replays logs of a pool, which no package exports.
 */

import { poolDifference } from './pool.mjs';
import { registryDifference } from './registry.mjs';

const OUTCOMES = { success: 'success', failure: 'failure', ignored: 'ignore', cancelled: 'cancel' };
/** The keys of a step that say more about its operation. */
const DETAILS = new Set(['at_ms', 'expect', 'inside', 'outcome', 'retry_after_ms']);

const camelCase = (name) => name.replace(/_([a-z_])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`);
const inCamelCase = (fields) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value]));
/** Milliseconds, rounded to the nanosecond, the resolution of the core. */
const millis = (seconds) => (seconds === null ? null : Number((seconds * 1000).toFixed(6)));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Returns `{ passed, failures }`; `failures` has one line for each vector, with its first difference. */
export function runVectors(vectors, halfopen, replayPool) {
  const failures = [];
  for (const vector of vectors) {
    try {
      if (vector.pool !== undefined) {
        check(poolDifference(vector, replayPool));
      } else if (vector.registry !== undefined) {
        check(registryDifference(vector, halfopen));
      } else {
        runVector(vector, halfopen);
      }
    } catch (difference) {
      failures.push(`${vector.id}: ${difference instanceof Difference ? difference.message : difference.stack}`);
    }
  }
  return { passed: vectors.length - failures.length, failures };
}

class Difference extends Error {}

function check(difference) {
  if (difference !== undefined) {
    throw new Difference(difference);
  }
}

function runVector(vector, halfopen) {
  let session;
  try {
    session = new Session(vector.config, halfopen);
  } catch (error) {
    const field = error instanceof halfopen.InvalidValueError ? snakeCase(error.field) : undefined;
    if (field === undefined || field !== vector.config_error) {
      throw new Difference(`config_error: wanted ${vector.config_error ?? 'none'}, seen ${error}`);
    }
    return;
  }
  if (vector.config_error !== undefined) {
    throw new Difference(`config_error: wanted ${vector.config_error}, seen none`);
  }
  for (const [index, step] of vector.steps.entries()) {
    try {
      session.step(step);
    } catch (error) {
      throw new Difference(`step ${index + 1} ${JSON.stringify(step)}: ${error.message}`);
    }
  }
}

class Session {
  #permits = new Map();
  #shown = 0;
  #announced = [];

  constructor(config, halfopen) {
    this.halfopen = halfopen;
    this.clock = new halfopen.ManualClock();
    this.breaker = new halfopen.CircuitBreaker({ ...inCamelCase(config), clock: this.clock });
  }

  step(step) {
    this.clock.set(step.at_ms);
    const wanted = step.expect ?? {};
    const reported = this.#apply(step);
    if ('error' in reported && !('error' in wanted)) {
      throw new Difference(`refused: ${reported.error}`);
    }
    const seen = { ...this.#status(), ...reported };
    if ('transitions' in wanted) {
      seen.transitions = this.#transitions();
    }
    for (const [key, value] of Object.entries(wanted)) {
      if (!(key in seen && same(seen[key], value))) {
        throw new Difference(`${key}: wanted ${JSON.stringify(value)}, seen ${JSON.stringify(seen[key]) ?? 'nothing'}`);
      }
    }
  }

  /** Runs one step; returns what only that step reports. */
  #apply(step) {
    const { CircuitBreakerOpenError, InvalidValueError } = this.halfopen;
    try {
      return this.#operate(step);
    } catch (error) {
      if (error instanceof CircuitBreakerOpenError) {
        return { admitted: false, reason: error.reason, retry_after_ms: millis(error.retryAfter) };
      }
      if (error instanceof InvalidValueError) {
        return { error: error.code };
      }
      throw error;
    }
  }

  #operate(step) {
    const kinds = Object.keys(step).filter((key) => !DETAILS.has(key));
    switch (kinds.join('+')) {
      case '':
        return {};
      case 'acquire':
        this.#permits.set(step.acquire, this.breaker.acquire({ inside: this.#permits.get(step.inside) }));
        return { admitted: true, reason: null, retry_after_ms: null };
      case 'settle':
        this.#settle(step);
        return {};
      case 'drop':
        // `using` does this at the end of its block.
        this.#permits.get(step.drop)[Symbol.dispose]();
        return {};
      case 'force_open':
        this.breaker.forceOpen(step.force_open === null ? null : step.force_open / 1000);
        return {};
      case 'disable':
        this.breaker.disable();
        return {};
      case 'reset':
        this.breaker.reset();
        return {};
      case 'reconfigure':
        this.breaker.reconfigure(inCamelCase(step.reconfigure));
        return {};
      case 'restart':
        this.#restart();
        return {};
      default:
        throw new Difference(`a step of an unknown kind, ${kinds.join(' with ')}`);
    }
  }

  #status() {
    const status = Object.entries(this.breaker.status()).map(([name, value]) => [snakeCase(name), value]);
    const { state, mode } = this.breaker;
    const { retry_after_seconds: wait, ...seen } = Object.fromEntries(status);
    return { ...seen, state, mode, retry_after_ms: millis(wait) };
  }

  #settle({ settle, outcome, retry_after_ms: hint }) {
    const permit = this.#permits.get(settle);
    // In JavaScript only a failure can carry a hint, so hints of other outcomes are left out.
    outcome === 'failure' && hint !== undefined ? permit.failure(hint / 1000) : permit[OUTCOMES[outcome]]();
  }

  #restart() {
    this.#fetch();
    const { breaker: saved, clock, halfopen } = this;
    this.breaker = new halfopen.CircuitBreaker({ ...saved.config, clock });
    this.breaker.restore(saved.snapshot());
  }

  #transitions() {
    this.#fetch();
    return this.#announced.splice(0);
  }

  #fetch() {
    for (const { sequence, fromState, toState, cause } of this.breaker.events(this.#shown)) {
      this.#shown = sequence;
      this.#announced.push([fromState, toState, cause]);
    }
  }
}
