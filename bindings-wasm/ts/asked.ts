/**
 * Whose clock a circuit asks for the time. Its breaker says so before it asks anything of the circuit; if the circuit
 * held the clock, nothing could ever collect a breaker that its own clock knows.
 *
 * A module of its own without imports, because WebAssembly imports it where a bundler loads both.
 */

/** A clock that harms no call. */
interface Asked {
  read(): number;
  refuse(millis: number): void;
}

let asked: Asked | null = null;

/** Says whose clock is meant from now on. */
export function ask(clock: Asked | null): void {
  asked = clock;
}

/** Milliseconds; NaN where there is no time to tell, so that the last one holds. */
export function now(): number {
  return asked === null ? Number.NaN : asked.read();
}

/** Says that no clock can mean what it read last. */
export function refuse(millis: number): void {
  asked?.refuse(millis);
}
