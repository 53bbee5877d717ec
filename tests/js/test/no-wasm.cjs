/** Loads the package where a policy forbids to compile WebAssembly, and tells which build serves. */

const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { compileFunction, createContext } = require('node:vm');

const [, , entry] = process.argv;
const parsingContext = createContext({ process }, { codeGeneration: { wasm: false } });
const names = ['exports', 'require', 'module', '__filename', '__dirname'];
const run = compileFunction(readFileSync(entry, 'utf8'), names, { parsingContext });
const loaded = { exports: {} };
run(loaded.exports, createRequire(entry), loaded, entry, dirname(entry));
console.log(loaded.exports.backend);
