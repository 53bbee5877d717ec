/** The pool of the core: choosing among providers. */

import { connectedBackend } from './backend.js';
import { decodeOrThrow, parsed } from './host-values.js';

/** The result of one step of a log. */
export interface PoolStep {
  /** The ids to try, each with its role. */
  readonly picks?: readonly (readonly [id: string, role: string])[];
  /** The ids passed over, each with the reason and the milliseconds at which it may be back. */
  readonly passed_over?: readonly (readonly [id: string, reason: string, until: number | null])[];
  /** The earliest of these times. */
  readonly earliest_ms?: number | null;
  /** If no provider is available: when to choose again. */
  readonly wait_until_ms?: number | null;
  /** If no provider is available and the call fails: when one may be back. */
  readonly retry_after_ms?: number | null;
  /** Whether the budget allowed a further attempt. */
  readonly paid?: boolean;
  /** The rest of the budget. */
  readonly tokens: number;
}

/**
 * Replays a log of a pool: every choice comes out as it did, in each language.
 *
 * @param log - a JSON document with `pool` and `steps`, in the format of `docs/pool.md`
 * @throws InvalidValueError naming the field, for a document that is no log
 */
export function replayPool(log: string): PoolStep[] {
  return decodeOrThrow(() => connectedBackend().replayPool(parsed('log', log)) as unknown as PoolStep[]);
}
