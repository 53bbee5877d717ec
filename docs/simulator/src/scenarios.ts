/** The scenarios to choose from. */

import documents from '../scenarios.json';
import type { ConfigDocument, ScenarioDocument } from './engine.js';

export const STRATEGIES = [
  'priority_list',
  'round_robin',
  'random',
  'best_performance',
  'highest_availability',
] as const;

/** A scenario with two configurations to compare. */
export interface Case {
  id: string;
  title: string;
  /** Asked before the run. */
  question: string;
  /** Worth noticing after it. */
  notice: string;
  /** Simulated seconds in a second. */
  speed: number;
  failover: string | null;
  count_rate_limits: boolean;
  a: ConfigDocument;
  b: ConfigDocument | null;
  scenario: ScenarioDocument;
}

export const CASES = documents as unknown as readonly Case[];

/** A copy of the scenario of this id, or of the first one. */
export function caseOf(id: string | null | undefined): Case {
  return structuredClone(CASES.find((known) => known.id === id) ?? (CASES[0] as Case));
}
