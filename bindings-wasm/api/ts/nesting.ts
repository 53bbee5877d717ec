/**
 * Which probes a call is made inside. It rides on their permit instead of taking a slot, which the outer call may hold.
 *
 * Only probes are noted, and nobody looks while there is none, so closed circuits pay nothing. Where the host has
 * `AsyncLocalStorage` (Node, Deno, Bun, edge runtimes) the note reaches everything that the probe's function awaits;
 * elsewhere only what it does before its first `await`, and the rest has to be said with `inside`.
 */

import type { Executor } from './executor.js';

/** A probe, and the one that it was made inside. */
interface Probe {
  readonly executor: Executor;
  readonly permit: number;
  readonly outer: Probe | undefined;
}

interface Storage {
  run<Result>(probe: Probe, work: () => Result): Result;
  getStore(): Probe | undefined;
}

type NewStorage = new () => Storage;

interface Host {
  process?: { getBuiltinModule?: (name: string) => { AsyncLocalStorage?: NewStorage } | undefined };
  AsyncLocalStorage?: NewStorage;
}

/** Made with the first probe. */
let storage: Storage | undefined;
let given: NewStorage | undefined;

/** The permit of this breaker's innermost probe that the running code is inside. */
export function outerCall(executor: Executor): number | undefined {
  // `getStore` takes longer than all else that a closed circuit does.
  if (executor.probes === 0) {
    return undefined;
  }
  let probe = storage?.getStore();
  while (probe !== undefined && probe.executor !== executor) {
    probe = probe.outer;
  }
  return probe?.permit;
}

/** Runs `work` as part of a probe. */
export function runInside<Result>(executor: Executor, permit: number, work: () => Result): Result {
  storage ??= newStorage();
  return storage.run({ executor, permit, outer: storage.getStore() }, work);
}

/** Gives the class to hosts that have it under no name that is looked for here. */
export function useAsyncLocalStorage(type: NewStorage): void {
  given = type;
}

function newStorage(): Storage {
  const { process: host, AsyncLocalStorage: type } = globalThis as Host;
  try {
    const Found = given ?? type ?? host?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
    return Found === undefined ? new SynchronousStorage() : new Found();
  } catch {
    return new SynchronousStorage();
  }
}

/** For hosts that cannot follow what is awaited. */
class SynchronousStorage implements Storage {
  #probe: Probe | undefined;

  run<Result>(probe: Probe, work: () => Result): Result {
    const before = this.#probe;
    this.#probe = probe;
    try {
      return work();
    } finally {
      this.#probe = before;
    }
  }

  getStore(): Probe | undefined {
    return this.#probe;
  }
}
