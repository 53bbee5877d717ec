/** The link that holds a scenario, two configurations and the view. */

import type { Case } from './scenarios.js';
import { caseOf } from './scenarios.js';

/** The version of the links that are written, and the only one that is read. */
const VERSION = 1;

export type View = 'a' | 'b' | 'both';

export interface Linked {
  subject: Case;
  view: View;
}

/** The fragment of a link: `#1.…`. It holds what differs from the scenario of this id. */
export function fragmentOf({ subject, view }: Linked): string {
  const base = caseOf(subject.id);
  const document: Record<string, unknown> = { id: subject.id };
  for (const part of ['scenario', 'a', 'b', 'failover', 'count_rate_limits'] as const) {
    if (JSON.stringify(subject[part]) !== JSON.stringify(base[part])) {
      document[part] = subject[part];
    }
  }
  if (view !== 'a') {
    document['view'] = view;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const base64 = btoa(String.fromCharCode(...bytes));
  return `#${VERSION}.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/**
 * Reads a fragment; undefined if there is none. Throws an error with a message for the reader if it cannot be decoded.
 */
export function linkedIn(fragment: string): Linked | undefined {
  if (fragment.length < 2) {
    return undefined;
  }
  const [version, text] = fragment.slice(1).split('.', 2);
  if (version !== String(VERSION) || text === undefined) {
    throw new Error(
      `This link is of version ${version}, and this page reads version ${VERSION}. The first scenario is shown.`,
    );
  }
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
      letter.charCodeAt(0),
    );
    const { view, ...document } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Case> & { view?: View };
    return { subject: { ...caseOf(document.id), ...document }, view: view ?? 'a' };
  } catch {
    throw new Error('This link is damaged. The first scenario is shown.');
  }
}
