/** The native build as a backend. */

import { NameConflictError, RegistryFullError } from '@halfopen/api';
import type { Backend, HotPath, Opened } from '@halfopen/api/backend';
import type { Plain } from '@halfopen/api/host-values';

import type * as Addon from '../native/index.js';

/** A backend that shares breakers between threads. */
export type NativeBackend = Backend & Required<Pick<Backend, 'share'>>;

/** The backend of a loaded addon. */
export function nativeBackend(addon: typeof Addon): NativeBackend {
  return {
    kind: 'native',
    // The core reads the operating system's clock.
    clock: undefined,
    latest: addon.latest(),
    checkStack: checkOwnStack,
    create(config, millis) {
      const breaker = addon.JsBreaker.create(config, millis);
      return { core: breaker, calls: callsOf(addon, breaker) };
    },
    createRegistry: (bound) => addon.RegistryPolicy.create(bound),
    share(config: Plain): Opened {
      const breaker = shared(addon, config);
      const watch = (wake: () => void) => {
        const watching = addon.watch(breaker, weakly(wake));
        return () => watching.close();
      };
      return { core: Object.assign(breaker, { watch }), calls: callsOf(addon, breaker) };
    },
  };
}

/**
 * Calls `wake` while it is reachable. The addon holds the result, so nothing else may be in its scope: an unreachable
 * breaker is collected with its listeners.
 */
function weakly(wake: () => void): () => void {
  const weak = new WeakRef(wake);
  return () => weak.deref()?.();
}

function callsOf(addon: typeof Addon, breaker: Addon.JsBreaker): HotPath {
  const { enter, settle } = addon.hotPath(breaker);
  return {
    enter(millis, outer) {
      checkOwnStack(0);
      return enter(millis, outer);
    },
    settle(permit, outcome, millis) {
      checkOwnStack(0);
      return settle(permit, outcome, millis);
    },
  };
}

function shared(addon: typeof Addon, config: Plain): Addon.JsBreaker {
  try {
    return addon.share(config);
  } catch (error) {
    throw typed(error as AddonError);
  }
}

/** How many frames of JavaScript take as much of the stack as one of the core's. */
const OWN_FRAMES = 8;

/** The addon needs no check, but the JavaScript between an enter and its settle does. */
function checkOwnStack(frames: number, own = OWN_FRAMES * (frames + 1)): void {
  if (own > 0) {
    checkOwnStack(frames, own - 1);
  }
}

/** An error of the addon's registry. */
interface AddonError extends Error {
  readonly code: string;
  readonly circuitName: string;
  readonly field: string;
  readonly bound: number;
}

function typed(error: AddonError): Error {
  switch (error.code) {
    case 'NAME_CONFLICT':
      return new NameConflictError(error.circuitName, error.field);
    case 'REGISTRY_FULL':
      return new RegistryFullError(error.bound);
    default:
      return error;
  }
}
