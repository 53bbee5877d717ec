/** The work of a worker with a shared breaker: `workerData.does` names it, and the counts go into shared memory. */

import { parentPort, workerData } from 'node:worker_threads';

import { CircuitBreaker } from 'halfopen';

import { ENDED, INSIDE, MOST_INSIDE, OF_EACH, STOPPED, TOO_MANY } from './sharing-places.mjs';

const { config, does, memory, place } = workerData;
const counts = new Int32Array(memory ?? new SharedArrayBuffer(1024));

const work = {
  /** Makes calls, some of which fail, and counts the admitted ones. It has a listener, so it may be notified while it ends. */
  async callUntilStopped(breaker) {
    breaker.subscribe(() => undefined);
    for (let n = 0; Atomics.load(counts, STOPPED) === 0; n += 1) {
      const call = async () => {
        Atomics.add(counts, OF_EACH + place, 1);
        await turn();
        if (n % 10 === place % 10) {
          throw new Error('down');
        }
      };
      await breaker.call(call).catch(turn);
    }
  },

  /** Makes one probe after the other, and watches how many are in flight in all workers. */
  async probeUntilStopped(breaker) {
    const probe = async () => {
      // In this order, so that a worker that is ended in between leaves the number too small, never too large.
      Atomics.store(counts, OF_EACH + place, 1);
      const inside = Atomics.add(counts, INSIDE, 1) + 1;
      if (inside > Atomics.load(counts, MOST_INSIDE)) {
        Atomics.store(counts, MOST_INSIDE, inside);
      }
      if (inside > config.halfOpenMaxCalls + Atomics.load(counts, ENDED)) {
        Atomics.add(counts, TOO_MANY, 1);
      }
      await turn();
      Atomics.sub(counts, INSIDE, 1);
      Atomics.store(counts, OF_EACH + place, 0);
      throw new Error('says nothing about the provider');
    };
    while (Atomics.load(counts, STOPPED) === 0) {
      await breaker.call(probe).catch(turn);
    }
  },

  /** Holds as many probes as there are slots, in each of the ways to hold one, and never ends. */
  async hang(breaker) {
    breaker.call(() => new Promise(() => undefined));
    globalThis.permit = breaker.acquire();
    parentPort.postMessage(breaker.status().inFlight);
    setInterval(() => undefined, 1000);
  },

  /** Ends by itself with an unsettled permit and a listener. */
  async leave(breaker) {
    breaker.subscribe(() => undefined);
    globalThis.permit = breaker.acquire();
  },

  /** The same, in the middle of a call. */
  async exit(breaker) {
    breaker.subscribe(() => undefined);
    await breaker.call(() => process.exit(3));
  },

  async fail(breaker) {
    await breaker.call(() => Promise.reject(new Error('down'))).catch(() => undefined);
  },

  /** Reports the transitions that it receives, and ends with the first one to `open`. */
  async listen(breaker) {
    const busy = setInterval(() => undefined, 1000);
    breaker.subscribe(({ fromState, toState, sequence }) => {
      parentPort.postMessage({ fromState, toState, sequence });
      if (toState === 'open') {
        clearInterval(busy);
      }
    });
    parentPort.postMessage('listening');
  },

  /** Makes transitions while the other thread waits. */
  async flip(breaker) {
    for (let made = 0; made < config.flips; made += 2) {
      breaker.forceOpen();
      breaker.reset();
    }
    Atomics.store(counts, STOPPED, 1);
    Atomics.notify(counts, STOPPED);
  },

  async read(breaker) {
    parentPort.postMessage({ state: breaker.state, totalCalls: breaker.status().totalCalls });
  },
};

function turn() {
  return new Promise(setImmediate);
}

const classify = config.classifyAs === undefined ? undefined : () => config.classifyAs;
const { classifyAs: _, flips: __, ...fields } = config;
await work[does](new CircuitBreaker({ ...fields, share: 'threads', ...(classify && { classify }) }));
