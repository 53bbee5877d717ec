import { writeFileSync } from 'node:fs';
import { transformFileSync } from '@babel/core';

const { code } = transformFileSync('stream.mjs', {
  presets: [['@babel/preset-env', { targets: 'chrome 58', modules: false }]],
});
writeFileSync('babel.js', code);
