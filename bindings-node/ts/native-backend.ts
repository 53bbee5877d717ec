/** The native build as a backend. */

import type { Backend, HotPath, Opened } from '@halfopen/api/backend';
import type { Plain } from '@halfopen/api/host-values';

import type * as Addon from '../native/index.js';

/** A backend that shares breakers between threads. */
export type NativeBackend = Backend & Required<Pick<Backend, 'share'>>;

/** The backend of a loaded addon. */
export function nativeBackend(addon: typeof Addon): NativeBackend {
  const opened = (core: Addon.JsBreaker): Opened => ({ core, calls: checked(addon.hotPath(core)) });
  return {
    kind: 'native',
    // The core reads the operating system's clock.
    clock: undefined,
    checkStack,
    create: (config, millis) => opened(addon.JsBreaker.create(config, millis, Math.random())),
    createRegistry: (bound) => addon.RegistryPolicy.create(bound),
    share(config: Plain): Opened {
      const breaker = addon.share(config);
      const watch = (wake: () => void) => addon.watch(breaker, weakly(wake));
      return opened(Object.assign(breaker, { watch }));
    },
  };
}

/**
 * A function that calls `wake` while that is reachable. The addon keeps this function and all that its scope holds alive,
 * so the scope must not hold `wake`: otherwise a breaker with listeners would never be collected.
 */
function weakly(wake: () => void): () => void {
  const weak = new WeakRef(wake);
  return () => weak.deref()?.();
}

function checked({ enter, settle }: HotPath): HotPath {
  return {
    enter(millis, outer) {
      checkStack();
      return enter(millis, outer);
    },
    settle(permit, outcome, millis) {
      checkStack();
      return settle(permit, outcome, millis);
    },
  };
}

/** Throws a RangeError unless the stack has room for the JavaScript that runs until the call is settled. */
function checkStack(frames = 8): void {
  if (frames > 0) {
    checkStack(frames - 1);
  }
}
