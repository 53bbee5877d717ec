/** Places in the memory that a test and its workers share. */

/** Not 0 when the workers shall stop. */
export const STOPPED = 0;
/** How many probes are in flight. */
export const INSIDE = 1;
/** The most probes that were in flight at once. */
export const MOST_INSIDE = 2;
/** How many workers are ended from outside. */
export const ENDED = 3;
/** How often there were more probes than slots. */
export const TOO_MANY = 4;
/** From here on, one place for each worker. */
export const OF_EACH = 16;
