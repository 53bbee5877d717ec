/** The addon, and its circuits as the shared TypeScript wants them. */

import { type Backend, isRefusal, type Provider, type Refusal } from '../../bindings-wasm/ts/backend.js';

/** What the addon exports. */
export interface Addon {
  readonly version: string;
  /** The names of what a circuit's `operate` does, in the order of their numbers. */
  readonly operations: readonly string[];
  readonly create: (...args: Parameters<Provider['create']>) => Circuit | Refusal;
}

/** A circuit of the addon: what every call needs has a function of its own, all else is behind one. */
interface Circuit extends Pick<Backend, 'tell' | 'enter' | 'settle'> {
  operate(number: number, first?: unknown, second?: unknown): unknown;
}

/** The provider of a loaded addon. */
export function nativeProvider({ create, operations }: Addon): Provider {
  const shared = Object.fromEntries(
    operations.map((name, number) => [
      name,
      function (this: Circuit, first: unknown, second: unknown) {
        return this.operate(number, first, second);
      },
    ]),
  );
  return {
    kind: 'native',
    // It reads the platform's own.
    clock: null,
    create(fields, told) {
      const made = create(fields, told);
      return isRefusal(made) ? made : (Object.assign(Object.create(shared), made) as Backend);
    },
  };
}
