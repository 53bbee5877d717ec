/** The time of a circuit in a page or a worker whose user gave no clock. */

import type { TimeSource } from '../time.js';

// Some edge runtimes lack the former.
const clock: { now(): number } = globalThis.performance ?? Date;

export const timeOfPage: TimeSource = { read: () => clock.now() };
