/** The table in the README of `halfopen` that lists what the cases try; `node harness/readme.mjs` brings it up to date. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { KINDS } from '../cases/index.mjs';
import { ROOT } from './packages.mjs';
import { PROJECTS } from './project.mjs';

const README = join(ROOT, 'bindings-node/README.md');
const HEADING = '## Tried with';

/** The names of tools that are installed under other names. */
const NAMES = {
  '@anthropic-ai/sdk': 'Anthropic SDK',
  '@aws-sdk/client-s3': 'AWS SDK',
  '@babel/core': 'Babel',
  '@grpc/grpc-js': 'gRPC',
  '@rspack/core': 'Rspack',
  '@swc/core': 'swc',
  '@vercel/ncc': 'ncc',
  ai: 'AI SDK',
  bun: 'Bun',
  deno: 'Deno',
  next: 'Next',
  node20: 'Node',
  node22: 'Node',
  node24: 'Node',
  openai: 'OpenAI SDK',
  parcel: 'Parcel',
  rolldown: 'Rolldown',
  rollup: 'Rollup',
  typescript: 'tsc',
  typescript5: 'TypeScript',
  typescript6: 'TypeScript',
  typescript7: 'TypeScript',
  vite: 'Vite',
  vitest: 'Vitest',
};

/** Whether the table in the README lists the present cases. */
export function isCurrent() {
  return updated() === readFileSync(README, 'utf8');
}

function updated() {
  const readme = readFileSync(README, 'utf8');
  const section = new RegExp(`(?<=^${HEADING}$[^|]*)^\\|.*?(?=\\n\\n|\\n$)`, 'ms');
  if (!section.test(readme)) {
    throw new Error(`${README} has no table under "${HEADING}"`);
  }
  return readme.replace(section, table());
}

function table() {
  const rows = KINDS.map(({ kind, cases }) => [kind, tried(cases)]).filter(([, tools]) => tools !== '');
  return ['| | |', '| --- | --- |', ...rows.map(([kind, tools]) => `| ${kind} | ${tools} |`)].join('\n');
}

/** Every tool of these cases once, with all of its versions. */
function tried(cases) {
  const versions = new Map();
  for (const { tool, project } of cases.flatMap(({ tool = [], project }) =>
    [tool].flat().map((tool) => ({ tool, project })),
  )) {
    const name = NAMES[tool] ?? tool;
    versions.set(name, (versions.get(name) ?? new Set()).add(version(tool, project)));
  }
  return [...versions].map(([name, all]) => [name, [...all].filter(Boolean).join(', ')].join(' ').trim()).join('; ');
}

/** The version that the project pins; none for what the host provides. */
function version(tool, project) {
  const { devDependencies } = JSON.parse(readFileSync(join(PROJECTS, project, 'package.json'), 'utf8'));
  return devDependencies[tool]?.replace(/^npm:.*@/, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, updated());
}
