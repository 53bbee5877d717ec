/**
 * The probes that a call is nested in. It shares their permit instead of taking a slot, which the outer call may hold.
 *
 * Only probes are recorded, and nothing is looked up while there is none, so closed circuits pay nothing. With
 * `AsyncLocalStorage` (Node, Deno, Bun, edge runtimes) everything that the probe's function awaits is nested. Without
 * it nesting is detected up to the first `await`, and has to be declared by `inside` after that.
 */

import type { Executor } from './executor.js';

/** A probe and the probe around it. */
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

/** Created with the first probe. */
let storage: Storage | undefined;
let given: NewStorage | undefined;

/** The permit of this breaker's innermost probe around the running code. */
export function outerCall(executor: Executor): number | undefined {
  // `getStore` takes longer than everything else that a closed circuit does.
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

/** Supplies the class in hosts where {@link newStorage} would not find it. */
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

/** For hosts without `AsyncLocalStorage`. */
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
