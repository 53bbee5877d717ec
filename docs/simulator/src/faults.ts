/** Changes of a scenario's faults. */

import type { Case } from './scenarios.js';

type Fault = Case['scenario']['faults'][number];

/** The length of a fault that the reader adds, in seconds of the run. */
const BREAK_SECONDS = 20;

/** The subject with the times of a fault changed. */
export function withFaultMoved(subject: Case, index: number, from: number, to: number): Case {
  return withFaults(
    subject,
    subject.scenario.faults.map((fault, at) =>
      at === index ? { ...fault, from_seconds: from, to_seconds: to } : fault,
    ),
  );
}

/** The subject with a provider that is down from `time` on, or that is healed if a fault is in force then. */
export function withProviderBrokenOrHealed(subject: Case, provider: string, time: number): Case {
  const { faults, seconds } = subject.scenario;
  const now = Math.round(time * 10) / 10;
  const isActive = (it: Fault) => it.provider === provider && it.from_seconds <= time && time < it.to_seconds;
  if (faults.some(isActive)) {
    const ended = (fault: Fault) => ({ ...fault, to_seconds: Math.max(now, fault.from_seconds) });
    return withFaults(
      subject,
      faults.map((fault) => (isActive(fault) ? ended(fault) : fault)),
    );
  }
  const until = Math.min(seconds, now + BREAK_SECONDS);
  const down: Fault = { provider, from_seconds: now, to_seconds: until, effect: { kind: 'down' } };
  return withFaults(subject, [...faults, down]);
}

function withFaults(subject: Case, faults: Fault[]): Case {
  return { ...subject, scenario: { ...subject.scenario, faults } };
}
