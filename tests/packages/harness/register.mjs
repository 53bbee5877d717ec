/** The cases as tests: with `quick` those of every change, without it the others. */

import { after, describe, test } from 'node:test';

import { KINDS } from '../cases/index.mjs';
import { closeChromium } from './chromium.mjs';
import { open } from './project.mjs';

export function register({ quick }) {
  for (const { kind, cases } of KINDS) {
    const chosen = cases.filter((entry) => Boolean(entry.quick) === quick);
    if (chosen.length > 0) {
      describe(kind, () => {
        for (const { name, project, run } of chosen) {
          test(name, async () => run(project && (await open(project))));
        }
      });
    }
  }
  after(closeChromium);
}
