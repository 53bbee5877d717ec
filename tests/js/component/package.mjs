/** The component with the interface of the package `halfopen`, as far as the vectors need it. */

import { instance } from './host.mjs';

const camelCase = (name) => name.replace(/_([a-z_])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`);
const word = (name) => name.replaceAll('-', '_');

let reading = 0n;
const { Breaker, Registry: ComponentRegistry, parseConfig, replayPool: replayLog } = instance(() => reading).circuit;

export class ManualClock {
  #now = 0n;

  set(millis) {
    this.#now = BigInt(millis) * 1_000_000n;
  }

  /** Makes the component read this clock. */
  use() {
    reading = this.#now;
  }
}

export class CircuitBreakerOpenError extends Error {
  constructor({ reason, retryAfterSeconds }) {
    super('rejected');
    this.reason = word(reason);
    this.retryAfter = retryAfterSeconds ?? null;
  }
}

export class InvalidValueError extends Error {
  constructor({ code, field, value, allowed }) {
    super(`${field} = ${value} is refused: allowed is ${allowed}`);
    this.code = code;
    this.field = camelCase(field);
  }
}

function registryError({ tag, val }) {
  return tag === 'invalid-value'
    ? new InvalidValueError(val)
    : Object.assign(new Error(val.code), val, val.field && { field: camelCase(val.field) });
}

/** The result of the component; jco throws its refusals, with the record as the payload. */
function callOrThrow(ask) {
  try {
    return ask();
  } catch (error) {
    switch (error.payload?.code) {
      case 'CIRCUIT_OPEN':
        throw new CircuitBreakerOpenError(error.payload);
      case 'INVALID_VALUE':
        throw new InvalidValueError(error.payload);
      case undefined:
        // The registry's errors are a variant around a record.
        throw error.payload === undefined ? error : registryError(error.payload);
      default:
        throw error;
    }
  }
}

/** A record of a configuration, read from JSON, because no record can hold a value of a wrong type. */
function configOf(fields) {
  const entries = Object.entries(fields).map(([name, value]) => [snakeCase(name), value]);
  return callOrThrow(() => parseConfig(JSON.stringify(Object.fromEntries(entries))));
}

/** The results of the steps of a pool's log. */
export const replayPool = (log) => JSON.parse(callOrThrow(() => replayLog(JSON.stringify(log))));

class Permit {
  #permit;
  #clock;

  constructor(permit, clock) {
    this.#permit = permit;
    this.#clock = clock;
  }

  acquireNested = () => {
    this.#clock.use();
    return callOrThrow(() => this.#permit.acquireNested());
  };

  success = () => this.#end((permit) => permit.success());
  failure = (hint) => this.#end((permit) => permit.failure(hint));
  ignore = () => this.#end((permit) => permit.ignore());
  cancel = () => this.#end((permit) => permit.cancel());

  [Symbol.dispose]() {
    this.#end((permit) => permit[Symbol.dispose]());
    this.#permit = undefined;
  }

  #end(how) {
    this.#clock.use();
    return this.#permit !== undefined && callOrThrow(() => how(this.#permit));
  }
}

export class CircuitBreaker {
  #breaker;
  #clock;

  constructor({ clock, ...config }, handle = undefined) {
    this.#clock = clock;
    const record = configOf(config);
    clock.use();
    this.#breaker = handle ?? callOrThrow(() => Breaker.create(record, undefined));
  }

  get name() {
    return this.#breaker.name();
  }

  [Symbol.dispose]() {
    this.#breaker[Symbol.dispose]();
  }

  acquire = ({ inside } = {}) =>
    new Permit(inside?.acquireNested() ?? this.#ask((breaker) => breaker.acquire()), this.#clock);
  forceOpen = (seconds) => this.#ask((breaker) => breaker.forceOpen(seconds ?? undefined));
  disable = () => this.#ask((breaker) => breaker.disable());
  reset = () => this.#ask((breaker) => breaker.reset());
  reconfigure = (config) => this.#ask((breaker) => breaker.reconfigure(configOf(config)));
  snapshot = () => this.#ask((breaker) => breaker.snapshot());
  restore = (document) => this.#ask((breaker) => breaker.restore(document));

  get state() {
    return word(this.#ask((breaker) => breaker.state()));
  }

  get mode() {
    return word(this.#ask((breaker) => breaker.mode()));
  }

  /** The configuration in force, as the constructor takes it. */
  get config() {
    const { failureThreshold, window, ...fields } = this.#ask((breaker) => breaker.config());
    const plain = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : value,
    ]);
    return {
      ...Object.fromEntries(plain),
      failureThreshold: failureThreshold.tag === 'off' ? null : failureThreshold.val,
      window: { [window.tag]: window.val },
    };
  }

  status() {
    const { counts, window, ...status } = this.#ask((breaker) => breaker.status());
    const all = Object.entries({
      ...status,
      ...counts,
      windowCalls: window.calls,
      windowFailed: window.failed,
      windowSlow: window.slow,
      retryAfterSeconds: status.retryAfterSeconds ?? null,
    });
    return Object.fromEntries(all.map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]));
  }

  events(after) {
    const events = this.#ask((breaker) => breaker.events(BigInt(after)));
    return events.map(({ sequence, fromState, toState, cause }) => ({
      sequence: Number(sequence),
      fromState: word(fromState),
      toState: word(toState),
      cause: word(cause),
    }));
  }

  #ask(what) {
    this.#clock.use();
    return callOrThrow(() => what(this.#breaker));
  }
}

/** A registry that releases its handles at once, so that only the component holds a breaker. */
export class Registry {
  #registry;
  #clock;
  #asked = new Set();

  constructor(bound, { clock }) {
    this.#clock = clock;
    this.#registry = callOrThrow(() => ComponentRegistry.create(bound));
  }

  get bound() {
    return this.#registry.bound();
  }

  setBound = (bound) => this.#ask((registry) => registry.setBound(bound));
  removeUnused = () => this.#ask((registry) => registry.removeUnused());
  remove = (name) => this.#release(this.#ask((registry) => registry.remove(name)));

  getOrCreate(config) {
    const record = configOf(config);
    this.#asked.add(config.name ?? 'default');
    this.#release(this.#ask((registry) => registry.getOrCreate(record, undefined)));
  }

  /** The breaker of a name for one operation: it holds no handle between two of them. */
  get(name) {
    const once = (operate) => {
      const breaker = new CircuitBreaker(
        { clock: this.#clock },
        this.#ask((registry) => registry.get(name)),
      );
      try {
        return operate(breaker);
      } finally {
        breaker[Symbol.dispose]();
      }
    };
    return {
      acquire: () => once((breaker) => breaker.acquire()),
      disable: () => once((breaker) => breaker.disable()),
      reset: () => once((breaker) => breaker.reset()),
      reconfigure: (config) => once((breaker) => breaker.reconfigure(config)),
    };
  }

  names() {
    return [...this.#asked].sort().filter((name) => this.#holds(name));
  }

  // Not by `breakers()`: jco refuses to release the handles in a list of three.
  #holds(name) {
    const breaker = this.#ask((registry) => registry.get(name));
    this.#release(breaker);
    return breaker !== undefined;
  }

  #release(breaker) {
    breaker?.[Symbol.dispose]();
  }

  #ask(what) {
    this.#clock.use();
    return callOrThrow(() => what(this.#registry));
  }
}
