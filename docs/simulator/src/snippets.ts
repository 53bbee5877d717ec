/** A configuration as code. */

import type { ConfigDocument } from './engine.js';

export const LANGUAGES = ['Python', 'TypeScript', 'Rust', 'TOML'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The configuration in this language; fields that are not set have their defaults. */
export function snippet(language: Language, config: ConfigDocument): string {
  const fields = Object.entries(config);
  switch (language) {
    case 'Python':
      return `from halfopen import CircuitBreakerConfig\n\nconfig = CircuitBreakerConfig(\n${lines(fields, (name, value) => `    ${name}=${python(value)},`)})\n`;
    case 'TypeScript':
      return `import { CircuitBreaker } from 'halfopen';\n\nconst breaker = new CircuitBreaker({\n${lines(fields, (name, value) => `  ${camel(name)}: ${typescript(value)},`)}});\n`;
    case 'Rust':
      return `use halfopen::Config;\n${uses(fields)}\nlet config = Config::builder()\n${lines(fields, (name, value) => `    .${name.replace(/_seconds$/, '')}(${rust(name, value)})`)}    .build()?;\n`;
    default:
      return lines(fields, (name, value) => (value === null ? off(name) : `${name} = ${toml(value)}`));
  }
}

function lines(fields: [string, unknown][], line: (name: string, value: unknown) => string): string {
  return fields.map(([name, value]) => `${line(name, value)}\n`).join('');
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function python(value: unknown): string {
  if (value === null) {
    return 'None';
  }
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value);
}

function typescript(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, part]) => `${name}: ${part}`)
      .join(', ')} }`;
  }
  return typeof value === 'string'
    ? `'${JSON.stringify(value).slice(1, -1).replaceAll("'", "\\'").replaceAll('\\"', '"')}'`
    : JSON.stringify(value);
}

/** TOML has no null. Every field but one is off if it is left out. */
function off(name: string): string {
  return name === 'failure_threshold'
    ? '# TOML cannot switch failure_threshold off. Set it to None or null in code.'
    : `# ${name} is off.`;
}

function toml(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, part]) => `${name} = ${part}`)
      .join(', ')} }`;
  }
  return JSON.stringify(value);
}

const DURATIONS = /_seconds$/;

function rust(name: string, value: unknown): string {
  if (value === null) {
    return 'None';
  }
  if (name === 'window') {
    const { calls, seconds } = value as { calls?: number; seconds?: number };
    return calls !== undefined ? `WindowShape::Calls(${calls})` : `WindowShape::Time(Duration::from_secs(${seconds}))`;
  }
  if (DURATIONS.test(name)) {
    return Number.isInteger(value) ? `Duration::from_secs(${value})` : `Duration::from_secs_f64(${value})`;
  }
  const isFloat = /rate_threshold|multiplier|jitter/.test(name);
  return isFloat && Number.isInteger(value) ? `${value}.0` : JSON.stringify(value);
}

function uses(fields: [string, unknown][]): string {
  const window = fields.find(([name]) => name === 'window')?.[1] as { seconds?: number } | undefined;
  const hasDuration =
    window?.seconds !== undefined || fields.some(([name, value]) => DURATIONS.test(name) && value !== null);
  return (
    (window === undefined ? '' : 'use halfopen::config::WindowShape;\n') +
    (hasDuration ? 'use std::time::Duration;\n' : '')
  );
}
