/** The vectors in Node, on the WebAssembly component as jco runs it. */

import * as halfopen from '../component/package.mjs';

import { readVectors, tell } from './files.mjs';
import { runVectors } from './run.mjs';

tell('component-jco', runVectors(readVectors(), halfopen, halfopen.replayPool));
