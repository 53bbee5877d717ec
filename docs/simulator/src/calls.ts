/** The calls of a run as numbers, found by time. */

/** The core's fates, each at the index that is its number. */
const FATES = ['answered', 'failed', 'timed_out', 'rate_limited', 'rejected', 'rejected_in_vain'] as const;

/** How a call ended. In a replay, `unknown` if it was not made then, and `ignored` if it said nothing about its provider. */
export type Fate = (typeof FATES)[number] | 'unknown' | 'ignored';

export interface Call {
  from: number;
  to: number;
  request: number;
  attempt: number;
  worker: number;
  provider: number;
  fate: Fate;
  isProbe: boolean;
}

/** Calls sorted by their beginning. */
export class Calls {
  readonly #calls: Call[];
  /** The longest of them, in seconds. */
  readonly #longest: number;

  constructor(calls: Call[]) {
    this.#calls = calls.sort((one, other) => one.from - other.from);
    this.#longest = calls.reduce((longest, call) => Math.max(longest, call.to - call.from), 0);
  }

  /** Reads the numbers of a recording: eight for each call. */
  static of(numbers: Float64Array): Calls {
    const calls: Call[] = [];
    for (let at = 0; at < numbers.length; at += 8) {
      const [from, to, request, attempt, worker, provider, fate, probe] = numbers.subarray(at, at + 8) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      calls.push({ from, to, request, attempt, worker, provider, fate: FATES[fate] as Fate, isProbe: probe === 1 });
    }
    return new Calls(calls);
  }

  get length(): number {
    return this.#calls.length;
  }

  /** Calls that a viewer sees between two times: each is seen from `lead` before it begins to `tail` after it ends. */
  *seen(time: number, lead: number, tail: number): Generator<Call> {
    for (let index = this.#firstFrom(time - tail - this.#longest); index < this.#calls.length; index++) {
      const call = this.#calls[index] as Call;
      if (call.from > time + lead) {
        return;
      }
      if (call.to + tail >= time) {
        yield call;
      }
    }
  }

  /** The index of the first call that begins at this time or later. */
  #firstFrom(time: number): number {
    let [low, high] = [0, this.#calls.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#calls[middle] as Call).from < time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
