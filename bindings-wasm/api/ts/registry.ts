/** A bounded registry of breakers by name. */

import { connected, type RegistryPolicy } from './backend.js';
import { breakerOf, CircuitBreaker, executorOf } from './breaker.js';
import type { CircuitBreakerConfig } from './config.js';
import { NameConflictError, RegistryFullError } from './errors.js';
import type { Executor } from './executor.js';
import { refuseAssignments } from './format-value.js';
import { decodeOrThrow, fieldsOf, plain } from './host-values.js';
import { checkedOptions, type HostOptions } from './options.js';

/**
 * A bounded set of breakers, one for each name.
 *
 * Bounded, because names often come from user input; without a bound this would leak memory.
 *
 * @example
 * ```js
 * const registry = new Registry(1_000);
 * const breaker = registry.getOrCreate({ name: `tenant-${tenant}`, failureThreshold: 3 });
 * ```
 */
export class Registry {
  readonly #policy: RegistryPolicy;
  #bound: number;
  readonly #options: HostOptions;
  readonly #kept = new Map<string, CircuitBreaker>();
  /**
   * The executors of evicted breakers. If such a breaker is still held elsewhere, it stays the one of its name. A call in
   * flight holds only the executor, so the executor is kept and not the breaker.
   */
  readonly #released = new Map<string, Executor>();
  /** Released breakers are searched again at this number: twice those left last time, so the cost is linear. */
  #sweepAt: number;

  /**
   * An empty registry.
   *
   * @param bound - how many breakers it keeps, at least 1
   * @param options - passed to each breaker that it makes
   * @throws InvalidValueError naming the argument, for one that is not allowed
   */
  constructor(bound: number, options: HostOptions = {}) {
    this.#policy = decodeOrThrow(() => connected.createRegistry(plain(bound)), { bound });
    this.#bound = bound;
    this.#sweepAt = bound;
    this.#options = checkedOptions(options);
  }

  /**
   * The breaker of the configuration's name, made now if there is none.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   * @throws NameConflictError if that name has another configuration
   * @throws RegistryFullError if the registry is full and every breaker is in use
   */
  getOrCreate(config: CircuitBreakerConfig = {}): CircuitBreaker {
    // Read once, because a getter may answer differently the second time.
    const read: CircuitBreakerConfig = fieldsOf('config', config);
    let known = this.#find(read.name ?? '');
    if (known === undefined) {
      const made = new CircuitBreaker({ ...read, ...this.#options });
      known = this.#find(made.name) ?? made;
    }
    const { name } = known;
    const difference = known.difference(read);
    if (difference !== undefined) {
      throw new NameConflictError(name, difference);
    }
    if (!this.#keep(name, known)) {
      throw new RegistryFullError(this.bound);
    }
    return known;
  }

  /** The breaker of that name, if there is one; one that was evicted is kept again if there is room. */
  get(name: string): CircuitBreaker | undefined {
    const found = this.#find(name);
    if (found !== undefined && !this.#kept.has(name) && this.size < this.bound) {
      this.#keep(name, found);
    }
    return found;
  }

  /** Removes the breaker of that name; existing references stay valid. */
  remove(name: string): CircuitBreaker | undefined {
    const removed = this.#find(name);
    // The WebAssembly reads anything as a text, so a name that is none must not reach it.
    if (removed !== undefined) {
      this.#policy.remove(name);
      this.#kept.delete(name);
      this.#released.delete(name);
    }
    return removed;
  }

  /**
   * Removes the breakers that are idle ({@link CircuitBreaker.isIdle}) and returns their number. While somebody holds
   * one of them, it stays the breaker of its name; otherwise a later request gets a new one, which behaves the same.
   */
  removeUnused(): number {
    this.#sweep();
    this.#policy.search(true);
    return this.#evict();
  }

  /** The most breakers that it keeps. If it was lowered while more were in use, those stay. */
  get bound(): number {
    return this.#bound;
  }

  /**
   * Changes the bound. Idle breakers are removed until no more are left than `bound`; the others stay, and no new one
   * is made until there are fewer.
   *
   * @throws InvalidValueError unless it is a whole number of at least 1
   */
  setBound(bound: number): void {
    decodeOrThrow(() => this.#policy.resize(plain(bound)), { bound });
    this.#bound = bound;
    this.#evict();
  }

  /** How many breakers it keeps. */
  get size(): number {
    return this.#kept.size;
  }

  /** The names of the breakers that it keeps, in order. */
  names(): string[] {
    return [...this.#kept.keys()].sort();
  }

  /** All breakers that it can hand out, in the order of their names. */
  breakers(): CircuitBreaker[] {
    this.#sweep();
    const names = [...this.#kept.keys(), ...this.#released.keys()].sort();
    return names.flatMap((name) => this.#kept.get(name) ?? this.#released.get(name)?.released?.deref() ?? []);
  }

  #find(name: string): CircuitBreaker | undefined {
    const released = this.#released.get(name);
    return this.#kept.get(name) ?? (released && breakerOf(released));
  }

  /** Keeps a breaker under its name; false if there is no room. */
  #keep(name: string, breaker: CircuitBreaker): boolean {
    while (!this.#policy.add(name)) {
      this.#policy.search(false);
      if (this.#evict() === 0) {
        return false;
      }
    }
    this.#kept.set(name, breaker);
    this.#released.delete(name);
    return true;
  }

  /** Evicts what the search that has just begun finds idle. */
  #evict(): number {
    let evicted = 0;
    for (let name = this.#policy.look(); name !== ''; name = this.#policy.look()) {
      const breaker = this.#kept.get(name);
      if (breaker?.isIdle()) {
        this.#policy.remove(name);
        this.#kept.delete(name);
        const executor = executorOf(breaker);
        executor.released = new WeakRef(breaker);
        this.#released.set(name, executor);
        evicted += 1;
      }
    }
    if (this.#released.size > this.#sweepAt) {
      this.#sweep();
    }
    return evicted;
  }

  /** Keeps the released breakers that are in use again, if there is room, and forgets those without a handle. */
  #sweep(): void {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    for (const [name, executor] of [...this.#released]) {
      const isHeld = executor.released?.deref() !== undefined;
      const breaker = breakerOf(executor);
      if ((breaker.isIdle() || !this.#keep(name, breaker)) && !isHeld) {
        this.#released.delete(name);
      }
    }
    this.#sweepAt = Math.max(this.bound, 2 * this.#released.size);
  }
}

refuseAssignments(Registry, { bound: 'call setBound(bound)', size: 'call remove(name) or removeUnused()' });
