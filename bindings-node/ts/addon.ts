/** The addon as a build of the core. */

import { now, refuse } from '../../bindings-wasm/ts/asked.js';
import { type Circuits, circuitsOf, type Provider } from '../../bindings-wasm/ts/circuit.js';

/** What the addon exports. */
export interface Addon extends Omit<Circuits, 'operate'> {
  readonly version: string;
  /** A circuit, or the answer that refuses it; where it gets the two functions it asks them for the time. */
  create(fields: Uint8Array, now?: () => number, refuse?: (millis: number) => void): number | Uint8Array;
  operate(circuit: number, request: Uint8Array): Uint8Array;
}

/** The provider of a loaded addon. */
export function nativeProvider(addon: Addon): Provider {
  const operate: Circuits['operate'] = (circuit, request) => addon.operate(circuit, Uint8Array.from(request));
  const circuitOf = circuitsOf({ ...addon, operate });
  return {
    kind: 'native',
    // It reads the platform's own.
    clock: null,
    create(fields, told) {
      const bytes = Uint8Array.from(fields);
      const made = told ? addon.create(bytes, now, refuse) : addon.create(bytes);
      return typeof made === 'number' ? circuitOf(made) : made;
    },
  };
}
