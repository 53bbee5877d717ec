/// <reference lib="esnext.disposable" preserve="true" />

/** Permission to make one call. */

import type { Clock } from './clock.js';
import { CANCELLED, FAILURE, IGNORED, OUTCOMES, SUCCESS } from './codes.js';
import type { Outcome } from './enums.js';
import type { Executor } from './executor.js';
import { check } from './format-value.js';

interface Collected {
  /** Weak, because a registry keeps what it holds alive, and a breaker may reach its permits through its listeners. */
  readonly executor: WeakRef<Executor>;
  readonly number: number;
}

// Some edge runtimes have no such class.
const registry =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<Collected>(({ executor, number }) => executor.deref()?.settle(number, CANCELLED));

/** `Symbol.dispose`, or what compilers of `using` fall back to where a runtime lacks it. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/**
 * Permission to make one call. Its holder reports how the call ended.
 *
 * The first method that settles it counts; each returns whether it was the first. A permit that is disposed of
 * unsettled, or collected as garbage, is settled as cancelled.
 */
export class Permit implements Disposable {
  readonly #executor: Executor;
  readonly #number: number;
  readonly #clock: Clock | undefined;
  #stage: 'new' | 'tracked' | 'settled' = 'new';

  /** @internal */
  constructor(executor: Executor, number: number, clock: Clock | undefined) {
    this.#executor = executor;
    this.#number = number;
    this.#clock = clock;
  }

  /** The call did what was asked. */
  success(): boolean {
    return this.end(SUCCESS);
  }

  /**
   * The call failed, and that counts against the provider.
   *
   * @param retryAfter - how long it asked to be left alone, in seconds; it can make the wait longer; null if it did not
   * @throws InvalidValueError for anything that is not a number of seconds
   */
  failure(retryAfter: number | null = null): boolean {
    return retryAfter === null
      ? this.end(FAILURE)
      : this.#ended(this.#executor.fail(this.#number, retryAfter, this.#clock));
  }

  /** The call failed, and that says nothing about the provider. */
  ignore(): boolean {
    return this.end(IGNORED);
  }

  /** The call was given up before it ended. */
  cancel(): boolean {
    return this.end(CANCELLED);
  }

  /**
   * The call ended with the outcome of that name.
   *
   * @param retryAfter - as in {@link failure}; only a failure carries it
   * @throws InvalidValueError for anything that is not an outcome
   */
  settle(outcome: Outcome, retryAfter: number | null = null): boolean {
    const code = OUTCOMES.indexOf(outcome);
    check(code >= 0, 'outcome', outcome, `one of: ${OUTCOMES.join(', ')}`);
    return code === FAILURE ? this.failure(retryAfter) : this.end(code);
  }

  /** At the end of a `using` block: the same as {@link cancel}. */
  [dispose](): void {
    this.cancel();
  }

  /** @internal */
  end(outcome: number): boolean {
    return this.#ended(this.#executor.settle(this.#number, outcome, this.#clock));
  }

  /** @internal */
  pause(isPaused: boolean): void {
    this.#executor.pause(this.#number, isPaused, this.#clock);
  }

  /** Its number for a call that is made inside this one; undefined for a call of another breaker. @internal */
  numberFor(executor: Executor): number | undefined {
    return this.#executor === executor ? this.#number : undefined;
  }

  /** Settles it as cancelled when it is collected as garbage. @internal */
  track(): void {
    if (this.#stage === 'new') {
      registry?.register(this, { executor: this.#executor.weakly, number: this.#number }, this);
      // Last, because what comes before may find the stack full.
      this.#stage = 'tracked';
    }
  }

  /**
   * Tracks it when its turn of the event loop ends, or when the next permit is acquired: registering a permit takes twenty
   * times as long as acquiring and settling it, and most are settled at once.
   *
   * @internal
   */
  trackSoon(): void {
    const before = newest;
    newest = this;
    if (before === NONE) {
      Promise.resolve().then(endTurn);
    } else {
      before.track();
    }
  }

  #ended(settled: boolean): boolean {
    if (this.#stage === 'tracked') {
      registry?.unregister(this);
    }
    this.#stage = 'settled';
    return settled;
  }
}

/**
 * The value of `newest` when there is no permit. It is never collected: when V8 collects the last object of a class, it
 * discards the optimised code of that class, and the code that it then compiles may be slower. Acquire and settle took 56
 * or 90 ns in Chromium.
 */
const NONE = new Permit(undefined as never, Number.NaN, undefined);

let newest = NONE;

function endTurn(): void {
  newest.track();
  newest = NONE;
}
