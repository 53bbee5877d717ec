import { writeFileSync } from 'node:fs';
import { transformFileSync } from '@swc/core';

const { code } = transformFileSync('stream.mjs', { jsc: { target: 'es2017' } });
writeFileSync('swc.js', code);
