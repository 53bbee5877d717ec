import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generator } from '../random.mjs';
import { instance } from './host.mjs';

const NUMBERS = [0, -0, -1, 1, 2, 0.5, 1e-9, 1e-300, 3600, 31_536_000, 31_536_001, 1e18, 1e300, 2 ** 53, 2 ** 32];
const ODD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, ...NUMBERS];
const COUNTS = [0, 1, 2, 3, 255, 256, 10_000, 65_535, 65_536, 2 ** 32 - 1];
const MOMENTS = [0n, 1n, 999_999_999n, 60_000_000_000n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const TEXTS = ['', ' ', 'a', 'ß', '\u2028', '\0', '\ud800', '😀'.repeat(128), 'x'.repeat(129), 'x'.repeat(100_000)];
const DOCUMENTS = [
  '',
  'null',
  '{}',
  '[]',
  '1e999',
  '{"version":1}',
  '['.repeat(100_000),
  '{"a":'.repeat(200),
  '"\\ud800"',
];
const CODES = new Set(['CIRCUIT_OPEN', 'INVALID_VALUE', 'NAME_CONFLICT', 'REGISTRY_FULL']);

/** Random operations of a host on an instance, with odd arguments. */
class Session {
  #below;
  #now = 0n;
  #permits = [];
  #snapshot = '{}';

  constructor(seed) {
    this.#below = generator(seed);
    this.circuit = instance(() => this.#now).circuit;
    this.registry = this.circuit.Registry.create(3);
    this.breaker = this.circuit.Breaker.create({}, 0n);
    this.operations = [
      () => this.#take(this.circuit.Breaker.create(this.#config(), this.#of(MOMENTS))),
      () =>
        this.#take(this.registry.getOrCreate({ ...this.#config(), name: this.#of(['a', 'b', 'c', 'd']) }, undefined)),
      () => this.registry.remove(this.#of(TEXTS)),
      () => this.registry.removeUnused(),
      () => this.#permits.push(this.breaker.acquire()),
      () => this.#permit()?.success(),
      () => this.#permit()?.failure(this.#of(ODD)),
      () => this.#permit()?.settle(this.#of(['success', 'failure', 'ignored', 'cancelled']), this.#of(ODD)),
      () => this.#permits.splice(this.#below(9), 1)[0]?.[Symbol.dispose](),
      () => this.breaker.forceOpen(this.#of(ODD)),
      () => this.breaker.disable(),
      () => this.breaker.reset(),
      () => this.breaker.reconfigure(this.#config()),
      () => this.breaker.percentile(this.#of(ODD) ?? 0, this.#of(['success', 'failure', 'ignored'])),
      () => this.breaker.events(this.#of(MOMENTS)).length + this.breaker.edges().length,
      () => this.breaker.explain() + this.breaker.name() + this.breaker.mode() + this.breaker.isIdle(),
      () => this.breaker.durations(),
      () => this.circuit.parseConfig(this.#of(DOCUMENTS)),
      () => {
        this.#snapshot = this.breaker.snapshot();
      },
      () => this.breaker.restore(this.#below(2) ? this.#damaged() : this.#of(DOCUMENTS)),
      () => this.breaker.restore(this.#snapshot),
      () => {
        this.#now = this.#of(MOMENTS);
      },
      () => {
        this.#now = (this.#now + BigInt(this.#below(3)) * 30_000_000_000n) % 2n ** 64n;
      },
    ];
  }

  /** Runs one random operation; only error records of the WIT package may come back. */
  step() {
    try {
      this.#of(this.operations)();
    } catch (error) {
      if (!CODES.has((error.payload?.val ?? error.payload)?.code)) {
        throw error;
      }
    }
  }

  #of(list) {
    return list[this.#below(list.length)];
  }

  #permit() {
    return this.#permits[this.#below(this.#permits.length + 1)];
  }

  #take(breaker) {
    for (const permit of this.#permits.splice(0)) {
      permit[Symbol.dispose]();
    }
    this.breaker = breaker;
  }

  /** A configuration with a few fields replaced, so that some configurations are valid. */
  #config() {
    const odd = {
      name: this.#of(TEXTS),
      failureThreshold: this.#below(3) ? { tag: 'failures', val: this.#of(COUNTS) } : { tag: 'off' },
      successThreshold: this.#of(COUNTS),
      timeoutSeconds: this.#of(ODD),
      halfOpenMaxCalls: this.#of(COUNTS),
      failureRateThreshold: this.#of(ODD),
      slowCallSeconds: this.#of(ODD),
      slowCallRateThreshold: this.#of(ODD),
      window: { tag: this.#of(['calls', 'seconds']), val: this.#of(COUNTS) },
      minimumCalls: this.#of(MOMENTS),
      timeoutMultiplier: this.#of(ODD),
      maxTimeoutSeconds: this.#of(ODD),
      timeoutJitter: this.#of(ODD),
      probeTimeoutSeconds: this.#of(ODD),
      cancelFailureAfterSeconds: this.#of(ODD),
      shadow: this.#below(2) === 0,
      recordDurations: this.#below(2) === 0,
    };
    return Object.fromEntries(Object.entries(odd).filter(() => this.#below(6) === 0));
  }

  /** A snapshot with a part removed, doubled or replaced. */
  #damaged() {
    const at = this.#below(this.#snapshot.length);
    const [before, after] = [this.#snapshot.slice(0, at), this.#snapshot.slice(at + this.#below(20))];
    return before + this.#of(['', '0', '9'.repeat(30), '-', 'null', '"', '}', before]) + after;
  }
}

for (const seed of [1, 2, 3]) {
  test(`whatever a host hands in, the instance lives and the counters add up: seed ${seed}`, () => {
    const session = new Session(seed);
    for (let round = 0; round < 3000; round += 1) {
      session.step();
      const { counts } = session.breaker.status();
      const ended = counts.successfulCalls + counts.failedCalls + counts.ignoredCalls + counts.cancelledCalls;
      assert.equal(counts.totalCalls, ended + counts.inFlight);
    }
  });
}
