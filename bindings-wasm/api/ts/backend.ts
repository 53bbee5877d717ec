/** The builds of the core. */

import type {
  JsBreaker as Exported,
  HotPath as ExportedCalls,
  RegistryPolicy as ExportedPolicy,
} from '../pkg/halfopen_wasm.js';
import type { ClockSource } from './clock.js';
import type { BackendKind } from './enums.js';
import type { Plain } from './host-values.js';

/** A breaker of either build; `bindings-wasm/api/src/breaker.rs` describes its methods. @internal */
export type JsBreaker = Omit<Exported, 'free' | typeof Symbol.dispose> & {
  /**
   * For shared breakers: calls `wake`, which the caller keeps alive, after each transition, whichever thread made it;
   * returns a function that ends that.
   */
  watch?: (wake: () => void) => () => void;
};

/**
 * The calls of a breaker of either build (`bindings-wasm/api/src/calls.rs`). Each throws a RangeError if the stack has no
 * room for it, and then nothing has changed. @internal
 */
export type HotPath = Pick<ExportedCalls, 'enter' | 'settle'>;

/** A breaker with its calls. @internal */
export interface Opened {
  readonly core: JsBreaker;
  readonly calls: HotPath;
}

/** The names of a registry of either build (`bindings-wasm/api/src/registry.rs`). @internal */
export type RegistryPolicy = Omit<ExportedPolicy, 'free' | typeof Symbol.dispose>;

/** A build of the core. @internal */
export interface Backend {
  readonly kind: BackendKind;
  /** The default clock; undefined if the build reads the system's clock itself. */
  readonly clock: ClockSource | undefined;
  /** A new breaker; with NaN for the time, on the build's own clock. */
  create(config: Plain, millis: number): Opened;
  /** The policy of an empty registry. */
  createRegistry(bound: Plain): RegistryPolicy;
  /** The breaker of that name that all threads of this process share; absent in browsers. */
  share?: (config: Plain) => Opened;
  /** Throws a RangeError if the stack has no room for the core (`stack.rs`). */
  checkStack(): void;
}

/** Which build of the core is in use. */
export let backend: BackendKind;

/** The build in use. @internal */
export let connected: Backend;

/** Chooses the build. The entry of a package does it once, before anyone can make a breaker. @internal */
export function connect(chosen: Backend): void {
  connected = chosen;
  backend = chosen.kind;
}
