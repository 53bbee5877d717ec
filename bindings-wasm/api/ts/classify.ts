/** Classifies errors. */

import { CANCELLED, FAILURE, IGNORED, OUTCOMES } from './codes.js';
import type { Outcome } from './enums.js';
import { CircuitBreakerOpenError } from './errors.js';
import { reportOnce } from './report.js';

/** The outcome of a call that threw `error`. */
export type Classify = (error: unknown) => Outcome;

/** The parts of an `AbortSignal` that are read. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** Returns the number of an outcome. `signal` is the one that was passed to the call. */
export type Classifier = (error: unknown, signal?: Signal) => number;

/** The properties of an error that are read. */
interface ErrorShape extends Partial<Record<'name' | 'code' | 'cause' | 'errors' | 'details' | 'metadata', unknown>> {
  readonly constructor?: { readonly name?: unknown };
}

/** Names and codes of the errors that clients throw when their caller aborts a request. */
const ABORTS: ReadonlySet<unknown> = new Set([
  'AbortError', // DOMException, Node, undici, got, node-fetch, the AWS SDK
  'APIUserAbortError', // openai, anthropic: the name of the class only
  'CancelError', // got, p-cancelable
  'CanceledError', // axios
  'ABORT_ERR', // Node
  'ABORTED', // superagent
  'ERR_ABORTED', // got
  'ERR_CANCELED', // axios, got
  'UND_ERR_ABORTED', // undici
]);

/** Errors that only say that a connection failed; the reason is their cause. The first is that of `fetch`. */
const CONNECTION_NAMES: ReadonlySet<unknown> = new Set(['TypeError', 'APIConnectionError']);

/** Real chains of causes and nested groups are shorter; either may be circular. */
export const DEPTH_FOLLOWED = 8;

/** The outcomes from worst to best: a group of errors is as bad as its worst member. */
const BY_BADNESS: readonly number[] = [FAILURE, CANCELLED, IGNORED];

/** gRPC's status CANCELLED. */
const GRPC_CANCELLED = 1;

/**
 * Without a classifier: a call that its caller aborted says nothing about the provider, and neither does a rejection by
 * any breaker, nor a connection that failed because of one of them. The worst member of an `AggregateError` counts. Every
 * other error is a failure.
 */
export const classifyByShape = (error: unknown, signal?: Signal, depth = 0): number => {
  try {
    if (isRejection(error)) {
      return IGNORED;
    }
    if (isAbort(error as ErrorShape, signal)) {
      return CANCELLED;
    }
    const members = membersOf(error);
    if (members.length > 0 && depth < DEPTH_FOLLOWED) {
      const outcomes = members.map((member) => classifyByShape(member, signal, depth + 1));
      return BY_BADNESS.find((outcome) => outcomes.includes(outcome)) ?? FAILURE;
    }
    const { constructor: type, cause } = error as ErrorShape;
    return CONNECTION_NAMES.has(type?.name) && depth < DEPTH_FOLLOWED
      ? classifyByShape(cause, signal, depth + 1)
      : FAILURE;
  } catch {
    // `undefined` was thrown, or an object that cannot be read.
    return FAILURE;
  }
};

/** With a user's classifier; if that fails, the error counts as a failure. */
export function classifyBy(classify: Classify): Classifier {
  const report = reportOnce('the classifier of a circuit breaker gave no outcome, so the error counts as a failure');
  return (error) => {
    try {
      const outcome = classify(error);
      const code = OUTCOMES.indexOf(outcome);
      if (code >= 0) {
        return code;
      }
      report(outcome);
    } catch (fault) {
      report(fault);
    }
    return FAILURE;
  };
}

/** The errors in an `AggregateError`, for example of `Promise.any`; none for any other error. */
export function membersOf(error: unknown): readonly unknown[] {
  try {
    const { name, errors } = error as ErrorShape;
    return name === 'AggregateError' && Array.isArray(errors) ? errors : [];
  } catch {
    // A getter threw.
    return [];
  }
}

/** Also recognises the error of another copy of this package. */
function isRejection(error: unknown): boolean {
  const { name, code } = error as ErrorShape;
  return error instanceof CircuitBreakerOpenError || (name === 'CircuitBreakerOpenError' && code === 'CIRCUIT_OPEN');
}

function isAbort(error: ErrorShape, signal: Signal | undefined): boolean {
  if (signal?.aborted) {
    // Clients throw many errors after an abort. Only the reason tells a timeout from a user who pressed Stop.
    return !isTimeout(signal.reason);
  }
  if (isTimeout(error.cause)) {
    return false;
  }
  return (
    ABORTS.has(error.name) ||
    ABORTS.has(error.constructor?.name) ||
    ABORTS.has(error.code) ||
    // An error of a gRPC client has both beside the code.
    (error.code === GRPC_CANCELLED && typeof error.details === 'string' && typeof error.metadata === 'object')
  );
}

/** The reason of `AbortSignal.timeout`: the provider was too slow. */
function isTimeout(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && (reason as ErrorShape).name === 'TimeoutError';
}
