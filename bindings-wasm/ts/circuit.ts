/** The core as the two builds of it show it: numbers for what every call needs, and bytes for all else. */

import type { Clock } from './clock.js';
import type { BackendKind } from './vocabulary.js';

/** One circuit. Nothing in it throws. It may ask for the time while it works (see `asked.ts`), and be asked then. */
export interface Circuit {
  /** The number of a ticket, or −1, −2 and so on for the reason why the call is rejected, in the order of `REASONS`. */
  enter(): number;
  /** False where there is no such ticket (any more); `outcome` counts from 0 in the order of `OUTCOMES`. */
  settle(ticket: number, outcome: number): boolean;
  /** The seconds that the last rejection said to wait; a negative number where nobody can tell. */
  wait(): number;
  /** Answers a request: see `wire.ts` for both, and the crate `halfopen-circuit` for what can be asked. */
  operate(request: Bytes): Uint8Array;
}

/** Bytes on their way to the core. */
export type Bytes = readonly number[];

/** What a build does with its circuits, which it knows by number. */
export interface Circuits {
  enter(circuit: number): number;
  settle(circuit: number, ticket: number, outcome: number): boolean;
  wait(circuit: number): number;
  operate(circuit: number, request: Bytes): Uint8Array;
  /** Lets go of a circuit that nobody can ask any more. */
  free(circuit: number): void;
}

/** What makes objects of a build's circuits. */
export function circuitsOf({ enter, settle, wait, operate, free }: Circuits): (circuit: number) => Circuit {
  // Some edge runtimes have no such registry; there a circuit lives as long as its page.
  const collected = typeof FinalizationRegistry === 'undefined' ? undefined : new FinalizationRegistry(free);

  class Numbered implements Circuit {
    readonly #number: number;

    constructor(number: number) {
      this.#number = number;
      collected?.register(this, number);
    }

    enter(): number {
      return enter(this.#number);
    }

    settle(ticket: number, outcome: number): boolean {
      return settle(this.#number, ticket, outcome);
    }

    wait(): number {
      return wait(this.#number);
    }

    operate(request: Bytes): Uint8Array {
      return operate(this.#number, request);
    }
  }
  return (circuit) => new Numbered(circuit);
}

/** A build of the core. */
export interface Provider {
  readonly kind: BackendKind;
  /** The clock of a circuit whose user gave none; null where the build has its own. */
  readonly clock: Clock | null;
  /** A closed circuit, or the answer that refuses it. `told` says that it asks for the time. */
  create(fields: Bytes, told: boolean): Circuit | Uint8Array;
}

let connected: Provider | undefined;

/** Chooses the build. An entry of a package does it once, before anybody can make a breaker. */
export function connect(provider: Provider): BackendKind {
  connected = provider;
  return provider.kind;
}

/** The build in use. */
export function provider(): Provider {
  if (connected === undefined) {
    throw new Error('halfopen was loaded without one of its entries');
  }
  return connected;
}
