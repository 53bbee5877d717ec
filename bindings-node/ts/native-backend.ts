/** The native build as a backend. */

import { NameConflictError, RegistryFullError } from '@halfopen/api';
import type { Backend, Circuit, Plain } from '@halfopen/api/backend';

import type * as Addon from '../native/index.js';

/** A backend that shares circuits between threads. */
export type NativeBackend = Backend & Required<Pick<Backend, 'createShared'>>;

/** The backend of a loaded addon. */
export function nativeBackend(addon: typeof Addon): NativeBackend {
  const { enter, settle } = addon.hotPath();
  // Weak, so that an unreachable circuit is collected with its listeners.
  const listening = new Map<number, WeakRef<NativeCircuit>>();
  let isTold = false;

  /** The addon's class, with the hot path for what every call needs. */
  class NativeCircuit extends addon.Circuit implements Circuit {
    readonly #number = this.number;
    wake: (() => void) | undefined;

    enter(millis: number): number {
      return enter(this.#number, millis);
    }

    settle(ticket: number, outcome: number, millis: number): number {
      return settle(this.#number, ticket, outcome, millis);
    }

    watch(wake: () => void): () => void {
      if (!isTold) {
        isTold = true;
        addon.onTransition((circuit) => listening.get(circuit)?.deref()?.wake?.());
      }
      this.wake = wake;
      listening.set(this.#number, new WeakRef(this));
      this.listen();
      return () => {
        this.unlisten();
        listening.delete(this.#number);
        this.wake = undefined;
      };
    }
  }

  return {
    kind: 'native',
    // It reads the operating system's.
    clock: undefined,
    latestMillis: addon.LATEST_MILLIS,
    create: (config, millis) => new NativeCircuit(config, millis, false),
    createRegistry: (bound) => new addon.RegistryPolicy(bound),
    createShared(config: Plain): Circuit {
      try {
        return new NativeCircuit(config, Number.NaN, true);
      } catch (error) {
        throw typed(error as AddonError);
      }
    },
  };
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
