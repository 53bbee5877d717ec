/** The vectors in Node, on the WebAssembly component as jco runs it. */

import * as halfopen from '../component/package.mjs';

import { printResult, readVectors } from './files.mjs';
import { runVectors } from './run.mjs';

printResult('component-jco', runVectors(readVectors(), halfopen, halfopen.replayPool));
