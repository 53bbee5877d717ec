/** The component with the interface of the package `halfopen`, as far as the vectors need it. */

import { instance } from './host.mjs';

const camelCase = (name) => name.replace(/_([a-z_])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`);
const word = (name) => name.replaceAll('-', '_');

let reading = 0n;
const { Breaker, parseConfig } = instance(() => reading).circuit;

export class ManualClock {
  #now = 0n;

  set(millis) {
    this.#now = BigInt(millis) * 1_000_000n;
  }

  /** From now on the component reads this one. */
  tell() {
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

/** The result of the component; jco throws its refusals, with the record as the payload. */
function granted(ask) {
  try {
    return ask();
  } catch (error) {
    switch (error.payload?.code) {
      case 'CIRCUIT_OPEN':
        throw new CircuitBreakerOpenError(error.payload);
      case 'INVALID_VALUE':
        throw new InvalidValueError(error.payload);
      default:
        throw error;
    }
  }
}

/** A record of a configuration: no record can hold what is wrong by its type, so it is read from JSON. */
function configOf(fields) {
  const entries = Object.entries(fields).map(([name, value]) => [snakeCase(name), value]);
  return granted(() => parseConfig(JSON.stringify(Object.fromEntries(entries))));
}

class Permit {
  #permit;
  #clock;

  constructor(permit, clock) {
    this.#permit = permit;
    this.#clock = clock;
  }

  acquireNested = () => {
    this.#clock.tell();
    return granted(() => this.#permit.acquireNested());
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
    this.#clock.tell();
    return this.#permit !== undefined && granted(() => how(this.#permit));
  }
}

export class CircuitBreaker {
  #breaker;
  #clock;

  constructor({ clock, ...config }) {
    this.#clock = clock;
    const record = configOf(config);
    clock.tell();
    this.#breaker = granted(() => Breaker.create(record, undefined));
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

  /** The configuration in force, as a new breaker of this file takes it. */
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
    this.#clock.tell();
    return granted(() => what(this.#breaker));
  }
}
