/** The errors that this package throws. The error of a guarded function passes through unchanged. */

import type { ErrorCode, Reason } from './enums.js';

/** The base of every error of this package. */
export abstract class HalfopenError extends Error {
  /** Stable, and the same in every language; messages may change. */
  abstract readonly code: ErrorCode;

  /** The fields of this error as a plain object. */
  toJSON(): Record<string, unknown> {
    return { ...(this as object), name: this.name, message: this.message };
  }
}

/** The circuit rejected a call. Each rejection throws a new error. */
export class CircuitBreakerOpenError extends HalfopenError {
  override readonly code = 'CIRCUIT_OPEN';

  constructor(
    /** The name of the circuit. */
    readonly circuitName: string,
    /** Which rule rejected the call. */
    readonly reason: Reason = 'open',
    /** Seconds until a call may be admitted; null while the circuit is held open without an end. */
    readonly retryAfter: number | null = null,
  ) {
    const wait = retryAfter === null ? 'held open until it is reset' : `retry after ${retryAfter.toFixed(1)} s`;
    super(`circuit '${circuitName}' is OPEN (${reason}): ${wait}`);
  }
}

/** A value was refused, and nothing has changed. */
export class InvalidValueError extends HalfopenError {
  override readonly code = 'INVALID_VALUE';

  constructor(
    /** The field that was given the value, as the caller spelled it. */
    readonly field: string,
    /** The value in short form. */
    readonly value: string,
    /** The values that are allowed. */
    readonly allowed: string,
  ) {
    super(`${field} = ${value} is refused: allowed is ${allowed}`);
  }
}

/** A registry has a circuit of that name with another configuration. */
export class NameConflictError extends HalfopenError {
  override readonly code = 'NAME_CONFLICT';

  constructor(
    /** The name of the circuit. */
    readonly circuitName: string,
    /** The first field that differs. */
    readonly field: string,
  ) {
    super(`a circuit named '${circuitName}' exists with another configuration: ${field} differs`);
  }
}

/** A registry holds as many circuits as it may, and each of them is in use. */
export class RegistryFullError extends HalfopenError {
  override readonly code = 'REGISTRY_FULL';

  constructor(
    /** The most circuits that it may hold. */
    readonly bound: number,
  ) {
    super(`the registry is full: each of its ${bound} circuits is in use; raise its bound or remove one`);
  }
}
