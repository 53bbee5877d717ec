/** Builds `native/`: this platform's addon, and the declarations that napi makes of its attributes. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { NapiCli } from '@napi-rs/cli';

import { developmentProfile, root } from '../../bindings-wasm/scripts/tools.mjs';

const here = join(root, 'bindings-node');

/** The types that the attributes name. */
const HEADER = `/* Made by @napi-rs/cli. */
import type { DurationsByOutcome, EffectiveConfig } from '@halfopen/api';
import type { Plain } from '@halfopen/api/host-values';
import type { EventReading, StatusReading } from '@halfopen/api/status';

`;

/** Builds it; returns the path of the addon. */
export async function buildNative() {
  const outputDir = join(here, 'native');
  rmSync(outputDir, { recursive: true, force: true });
  const { task } = await new NapiCli().build({
    cwd: here,
    outputDir,
    platform: true,
    ...(developmentProfile ? { profile: developmentProfile } : { release: true }),
    noJsBinding: true,
    dts: 'index.d.ts',
    dtsHeader: HEADER,
  });
  const outputs = await task;
  return outputs.find(({ kind }) => kind === 'node').path;
}
