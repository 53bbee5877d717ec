/** The configurations that the page copies as code, run in each language. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { build, transformSync } from 'esbuild';

import { configSchema, initSync } from '../pkg/halfopen_sim_wasm.js';
import { documentOf, simulator } from './stage.mjs';

const root = join(simulator, '../..');
const work = join(root, 'target/snippets');
const rustCode = join(root, 'tests/rust/src/copied.rs');
const options = { timeout: 240_000 };

initSync({ module: readFileSync(join(simulator, 'pkg/halfopen_sim_wasm_bg.wasm')) });
const fields = JSON.parse(configSchema()).properties;
mkdirSync(work, { recursive: true });
await build({ entryPoints: [join(simulator, 'src/snippets.ts')], outfile: join(work, 'snippet.mjs'), format: 'esm' });
const { snippet } = await import(pathToFileURL(join(work, 'snippet.mjs')));

/** Each field off, at its ends or with many digits; and the configurations of the scenarios. */
const CONFIGS = [
  {},
  { failure_threshold: null, failure_rate_threshold: 0.1 + 0.2, window: { calls: 37 }, minimum_calls: 7 },
  { slow_call_seconds: 1.25, slow_call_rate_threshold: 1, window: { seconds: 3600 }, max_timeout_seconds: null },
  { name: 'a "quoted" \\ name\u2019s', timeout_seconds: 0.1, timeout_multiplier: 10, timeout_jitter: 1 },
  { failure_threshold: 65_535, probe_timeout_seconds: null, cancel_failure_after_seconds: null, shadow: true },
  { timeout_seconds: 31_536_000, max_timeout_seconds: 31_536_000.5, timeout_multiplier: 1.1, record_durations: false },
  { probe_timeout_seconds: 1e-9, cancel_failure_after_seconds: 123_456.789, half_open_max_calls: 255 },
  ...documentOf('scenarios.json').flatMap(({ a, b }) => (b === null ? [a] : [a, b])),
];

/** All fields of a configuration. */
const whole = (config) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, config[name] === undefined ? field.default : config[name]]),
  );
const expected = CONFIGS.map(whole);
/** TOML has no null, so failure_threshold keeps its default; the snippet says so. */
const inToml = expected.map((config) => ({ ...config, failure_threshold: config.failure_threshold ?? 5 }));
const snippets = (language) => CONFIGS.map((config) => snippet(language, config));
const run = (program, args, input) =>
  execFileSync(program, args, { cwd: root, input, encoding: 'utf8', timeout: options.timeout });

test('in Python, and from TOML', options, () => {
  const script = [
    'import json, sys, tomllib',
    'from halfopen import CircuitBreakerConfig',
    'codes, documents = json.load(sys.stdin)',
    'configs = []',
    'for code in codes:',
    '    names = {}',
    '    exec(code, names)',
    '    configs.append(names["config"])',
    'read = [CircuitBreakerConfig(**tomllib.loads(document)) for document in documents]',
    'print(json.dumps([[config.model_dump() for config in made] for made in (configs, read)]))',
  ].join('\n');
  const input = JSON.stringify([snippets('Python'), snippets('TOML')]);
  const [made, read] = JSON.parse(run(join(root, '.venv/bin/python'), ['-c', script], input));
  assert.deepEqual(made, expected);
  assert.deepEqual(read, inToml);
});

test('in TypeScript, whose compiler accepts them', options, async () => {
  const made = [];
  for (const [index, code] of snippets('TypeScript').entries()) {
    writeFileSync(join(work, `snippet${index}.mts`), `${code}\nexport { breaker };\n`);
    writeFileSync(
      join(work, `snippet${index}.mjs`),
      transformSync(`${code}\nexport { breaker };`, { loader: 'ts' }).code,
    );
    const { breaker } = await import(pathToFileURL(join(work, `snippet${index}.mjs`)));
    const snake = ([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value];
    made.push(Object.fromEntries(Object.entries(breaker.config).map(snake)));
  }
  assert.deepEqual(made, expected);
  const config = { extends: join(root, 'tests/js/types/tsconfig.json'), include: ['*.mts'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  run(join(root, 'node_modules/.bin/tsc'), ['-p', work]);
});

test('in Rust, and from TOML', options, () => {
  const code = rustSource();
  if (process.env.WRITE_SNIPPETS) {
    writeFileSync(rustCode, code);
  }
  assert.equal(readFileSync(rustCode, 'utf8'), code, 'run it again with WRITE_SNIPPETS=1');
  const cargo = ['run', '--quiet', '--package', 'halfopen-tests', '--bin', 'snippets'];
  const [made, read] = JSON.parse(run('cargo', cargo, JSON.stringify(snippets('TOML'))));
  assert.deepEqual(made.map(whole), expected);
  assert.deepEqual(read.map(whole), inToml);
});

/** A function for each snippet. */
function rustSource() {
  const functions = snippets('Rust').map((code, index) => {
    const body = `${code.trim()}\nOk(config)`.replaceAll(/^(?=.)/gm, '    ');
    return `fn copied_${index}() -> Result<halfopen::Config, InvalidValue> {\n${body}\n}\n`;
  });
  const calls = CONFIGS.map((_, index) => `copied_${index}()?`).join(', ');
  return `// Written by docs/simulator/test/snippets.test.mjs, which says how to write it again.

use halfopen::InvalidValue;

pub fn all() -> Result<Vec<halfopen::Config>, InvalidValue> {
    Ok(vec![${calls}])
}

${functions.join('\n')}`;
}
