/** A bounded registry of breakers by name. */

import { CircuitBreaker } from './breaker.js';
import type { CircuitBreakerConfig } from './config.js';
import { InvalidValueError, NameConflictError, RegistryFullError } from './errors.js';
import { formatValue } from './format-value.js';
import { type Fields, fieldsOf } from './host-values.js';
import { type HostOptions, hostOptions } from './options.js';

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
  readonly #bound: number;
  readonly #options: Fields;
  readonly #kept = new Map<string, CircuitBreaker>();
  /** Released breakers. Somebody else may still hold one, and then it stays the breaker of its name. */
  readonly #released = new Map<string, WeakRef<CircuitBreaker>>();

  /**
   * An empty registry.
   *
   * @param bound - how many breakers it keeps, at least 1
   * @param options - handed to each breaker that it makes
   * @throws InvalidValueError naming the argument, for one that is not allowed
   */
  constructor(bound: number, options: HostOptions = {}) {
    if (!(Number.isSafeInteger(bound) && bound >= 1)) {
      throw new InvalidValueError('bound', formatValue(bound), 'a whole number, at least 1');
    }
    this.#bound = bound;
    this.#options = hostOptions(options);
  }

  /**
   * The breaker of the configuration's name, made now if there is none.
   *
   * @throws InvalidValueError naming the field, for a value that is not allowed or a field that does not exist
   * @throws NameConflictError where that name has another configuration
   * @throws RegistryFullError where a new one would be one too many, even without those that are idle
   */
  getOrCreate(config: CircuitBreakerConfig = {}): CircuitBreaker {
    // Read once, because a getter may answer differently the second time.
    const fields = fieldsOf('config', config);
    const read: CircuitBreakerConfig = Object.fromEntries(fields);
    const wanted = fields.get('name');
    let known = typeof wanted === 'string' ? this.get(wanted) : undefined;
    if (known === undefined) {
      const made = new CircuitBreaker(Object.fromEntries([...fields, ...this.#options]));
      known = this.get(made.name) ?? made;
    }
    const { name } = known.config;
    if (!known.matches(read)) {
      throw new NameConflictError(name);
    }
    if (!this.#kept.has(name)) {
      this.#makeRoom();
      this.#keep(name, known);
    }
    return known;
  }

  /** The breaker of that name, if there is one; a released one is kept again if there is room. */
  get(name: string): CircuitBreaker | undefined {
    const kept = this.#kept.get(name);
    const found = kept ?? this.#released.get(name)?.deref();
    if (kept === undefined && found !== undefined && this.size < this.#bound) {
      this.#keep(name, found);
    }
    return found;
  }

  /** Lets go of the breaker of that name; whoever holds it keeps it. */
  remove(name: string): CircuitBreaker | undefined {
    const removed = this.get(name);
    this.#kept.delete(name);
    this.#released.delete(name);
    return removed;
  }

  /**
   * Releases the breakers that are idle ({@link CircuitBreaker.isIdle}) and returns their number. A later request for
   * such a name gets the same breaker while somebody holds it, and otherwise a new one that behaves alike. Breakers
   * that were released before and are in use again are kept again if there is room.
   */
  removeUnused(): number {
    const idle = [...this.#kept].filter(([, breaker]) => breaker.isIdle());
    for (const [name] of idle) {
      this.#kept.delete(name);
    }
    // Of those released before, some were collected, and some are in use again.
    for (const [name, released] of this.#released) {
      const breaker = released.deref();
      if (breaker === undefined) {
        this.#released.delete(name);
      } else if (this.size < this.#bound && !breaker.isIdle()) {
        this.#keep(name, breaker);
      }
    }
    for (const [name, breaker] of idle) {
      this.#released.set(name, new WeakRef(breaker));
    }
    return idle.length;
  }

  /** How many breakers it keeps. */
  get size(): number {
    return this.#kept.size;
  }

  /** All breakers that it can hand out, in the order of their names. */
  breakers(): CircuitBreaker[] {
    const names = [...this.#kept.keys(), ...this.#released.keys()].sort();
    return names.flatMap((name) => this.#kept.get(name) ?? this.#released.get(name)?.deref() ?? []);
  }

  #makeRoom(): void {
    if (this.size >= this.#bound) {
      this.removeUnused();
    }
    if (this.size >= this.#bound) {
      throw new RegistryFullError(this.#bound);
    }
  }

  #keep(name: string, breaker: CircuitBreaker): void {
    this.#kept.set(name, breaker);
    this.#released.delete(name);
  }
}
