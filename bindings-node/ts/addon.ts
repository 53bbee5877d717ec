/** The addon as a build of the core. */

import { type Circuits, circuitsOf, type Provider } from '../../bindings-wasm/ts/circuit.js';
import { UNTOLD } from '../../bindings-wasm/ts/time.js';

/** What the addon exports. */
export interface Addon extends Omit<Circuits, 'operate'> {
  readonly version: string;
  readonly latest: number;
  create(fields: Uint8Array, millis?: number): number | Uint8Array;
  operate(circuit: number, request: Uint8Array, millis: number): Uint8Array;
}

/** The provider of a loaded addon. */
export function nativeProvider(addon: Addon): Provider {
  const operate: Circuits['operate'] = (circuit, request, millis) =>
    addon.operate(circuit, Uint8Array.from(request), millis);
  const circuitOf = circuitsOf({ ...addon, operate });
  return {
    kind: 'native',
    // It reads the platform's clock.
    time: null,
    latest: addon.latest,
    create(fields, time) {
      const made = addon.create(Uint8Array.from(fields), time?.read());
      return typeof made === 'number' ? circuitOf(made, time ?? UNTOLD) : made;
    },
  };
}
