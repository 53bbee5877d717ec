/** Where the time comes from that a circuit has to be told. */
export interface TimeSource {
  /** Milliseconds; NaN where there is no time to tell. It does not throw. */
  read(): number;
}

/** For a circuit that reads a clock of its own. */
export const UNTOLD: TimeSource = { read: () => Number.NaN };
