/** The core as the two builds of it show it: numbers for what every call needs, and bytes for all else. */

import type { TimeSource } from './time.js';
import type { BackendKind } from './vocabulary.js';

/** One circuit. Nothing in it throws, unless the stack is full. */
export interface Circuit {
  /** The number of a ticket; or −2, −3 and so on for the reason why the call is rejected, in the order of `REASONS`. */
  enter(): number;
  /** 1; 0 where there is no such ticket (any more). `outcome` counts from 0 in the order of `OUTCOMES`. */
  settle(ticket: number, outcome: number): number;
  /** The seconds that the last rejection said to wait; a negative number where nobody can tell. */
  wait(): number;
  /** Answers a request: see `wire.ts` for both, and the crate `halfopen-circuit` for what can be asked. */
  operate(request: Bytes): Uint8Array;
}

/** Bytes on their way to the core. */
export type Bytes = readonly number[];

/** What {@link Circuits} answer that have to be told the time. */
const TIME_IS_NEEDED = -1;

/** What a build does with its circuits, which it knows by number. No circuit ever calls its host. */
export interface Circuits {
  /** As {@link Circuit} says; or −1, and nothing has changed: then `enterAt` has to be asked instead. */
  enter(circuit: number): number;
  /** At that time, in milliseconds; NaN is none, and the last one holds. */
  enterAt(circuit: number, millis: number): number;
  /** As {@link Circuit} says; or −1, and nothing has changed: then `settleAt` has to be asked instead. */
  settle(circuit: number, ticket: number, outcome: number): number;
  settleAt(circuit: number, ticket: number, outcome: number, millis: number): number;
  /** 1 where the time has to be told with each call, so that to ask first is in vain. */
  isTimed(circuit: number): number;
  wait(circuit: number): number;
  operate(circuit: number, request: Bytes, millis: number): Uint8Array;
  /** Lets go of a circuit that nobody can ask any more. */
  free(circuit: number): void;
}

/** What makes objects of a build's circuits. */
export function circuitsOf(build: Circuits): (circuit: number, time: TimeSource) => Circuit {
  const { enter, enterAt, settle, settleAt, isTimed, wait, operate, free } = build;
  // Some edge runtimes have no such registry; there a circuit lives as long as its page.
  const collected = typeof FinalizationRegistry === 'undefined' ? undefined : new FinalizationRegistry(free);

  class Numbered implements Circuit {
    readonly #number: number;
    readonly #time: TimeSource;
    #timed: boolean;

    constructor(number: number, time: TimeSource) {
      this.#number = number;
      this.#time = time;
      this.#timed = isTimed(number) !== 0;
      collected?.register(this, number);
    }

    enter(): number {
      if (!this.#timed) {
        const entered = enter(this.#number);
        if (entered !== TIME_IS_NEEDED) {
          return entered;
        }
      }
      return enterAt(this.#number, this.#time.read());
    }

    settle(ticket: number, outcome: number): number {
      if (!this.#timed) {
        const settled = settle(this.#number, ticket, outcome);
        if (settled !== TIME_IS_NEEDED) {
          return settled;
        }
      }
      return settleAt(this.#number, ticket, outcome, this.#time.read());
    }

    wait(): number {
      return wait(this.#number);
    }

    operate(request: Bytes): Uint8Array {
      const answer = operate(this.#number, request, this.#time.read());
      // Whatever changes that was an order.
      this.#timed = isTimed(this.#number) !== 0;
      return answer;
    }
  }
  return (circuit, time) => new Numbered(circuit, time);
}

/** A build of the core. */
export interface Provider {
  readonly kind: BackendKind;
  /** The time of a circuit whose user gave no clock; null where the build reads a clock of its own. */
  readonly time: TimeSource | null;
  /** The most milliseconds that a clock can mean. */
  readonly latest: number;
  /**
   * A closed circuit, or the answer that refuses it. Without a source it has the time from a clock of the build's own.
   */
  create(fields: Bytes, time: TimeSource | null): Circuit | Uint8Array;
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
