/** The words for states, causes, faults and fields. */

import { duration, percent } from './dom.js';
import type { Fault } from './engine.js';

export const STATES: Record<string, string> = { closed: 'closed', half_open: 'half-open', open: 'open' };

export const CAUSES: Record<string, string> = {
  consecutive_failures: 'failures in a row',
  failure_rate: 'too many failed',
  slow_call_rate: 'too many slow',
  timeout_elapsed: 'the wait is over',
  probes_succeeded: 'probes succeeded',
  probe_failed: 'a probe failed',
  probe_slow: 'a probe was slow',
  forced: 'forced by an operator',
  reset: 'reset by an operator',
  disabled: 'disabled by an operator',
};

export const EFFECTS: Record<string, string> = {
  down: 'down',
  brown_out: 'brown-out',
  slow: 'slow',
  hanging: 'hanging',
  slow_first_token: 'slow first token',
  flapping: 'flapping',
  rate_limited: 'answers 429',
  bad_shards: 'bad shard',
  deploy: 'deploying',
};

/** The parameters of each effect, with values to begin with. */
export const PARAMETERS: Record<string, Record<string, number>> = {
  down: {},
  brown_out: { share: 0.5 },
  slow: { factor: 10 },
  hanging: { share: 1 },
  slow_first_token: { seconds: 3 },
  flapping: { period_seconds: 8, down_share: 0.5 },
  rate_limited: { share: 0.9, retry_after_seconds: 10 },
  bad_shards: { shards: 4, bad: 1 },
  deploy: { every_seconds: 10, cold_seconds: 2, factor: 4, share: 0.7 },
};

/** A fault in a few words: `brown-out, 40 %`. */
export function faultText({ effect }: Fault): string {
  const name = EFFECTS[effect.kind] ?? effect.kind;
  const { share, factor, seconds, shards, bad, period_seconds: period } = effect as Record<string, number | undefined>;
  if (effect.kind === 'bad_shards') {
    return `${bad} bad of ${shards} shards`;
  }
  if (period !== undefined) {
    return `${name}, every ${duration(period)}`;
  }
  if (factor !== undefined && effect.kind === 'slow') {
    return `${name}, ×${factor}`;
  }
  if (seconds !== undefined) {
    return `${name}, +${duration(seconds)}`;
  }
  return share === undefined || share === 1 || effect.kind === 'deploy' ? name : `${name}, ${percent(share)}`;
}

export interface KnobText {
  label: string;
  unit: string;
  /** The range of the slider, which is narrower than what is allowed. */
  range?: [number, number];
  /** A value to begin with where none is set. */
  initial?: number;
  /** The placeholder of an empty field, if empty does not mean off. */
  none?: string;
  step?: number;
}

/** The fields of a configuration by group, in the order in which people think of them. */
export const FIELD_GROUPS: [string, Record<string, KnobText>][] = [
  [
    'Opens when',
    {
      failure_threshold: { label: 'Failures in a row', unit: '', range: [1, 50], initial: 5, step: 1 },
      failure_rate_threshold: { label: 'Share of failures', unit: '%', range: [0.01, 1], initial: 0.5 },
      slow_call_seconds: { label: 'A call is slow from', unit: 's', range: [0.05, 30], initial: 1 },
      slow_call_rate_threshold: { label: 'Share of slow calls', unit: '%', range: [0.01, 1], initial: 0.5 },
      window: { label: 'Window', unit: '' },
      minimum_calls: { label: 'Least calls in it', unit: 'calls', range: [1, 200], step: 1 },
    },
  ],
  [
    'Waits',
    {
      timeout_seconds: { label: 'Wait until a probe', unit: 's', range: [0.5, 120] },
      timeout_multiplier: { label: 'Each further wait', unit: '×', range: [1, 10] },
      max_timeout_seconds: { label: 'Longest wait', unit: 's', range: [1, 600], initial: 60 },
      timeout_jitter: { label: 'Spread of the wait', unit: '± %', range: [0, 1] },
    },
  ],
  [
    'Probes',
    {
      half_open_max_calls: { label: 'At once', unit: 'probes', range: [1, 20], step: 1 },
      success_threshold: { label: 'Successes to close', unit: '', range: [1, 20], step: 1 },
      probe_timeout_seconds: {
        label: 'Slots come back after',
        unit: 's',
        range: [0.5, 120],
        initial: 10,
        none: 'as wait',
      },
    },
  ],
  [
    'Rarely changed',
    {
      cancel_failure_after_seconds: { label: 'Cancelled is failed after', unit: 's', range: [0.05, 60], initial: 5 },
      shadow: { label: 'Shadow: reject nothing', unit: '' },
      record_durations: { label: 'Record durations', unit: '' },
      name: { label: 'Name', unit: '' },
    },
  ],
];
