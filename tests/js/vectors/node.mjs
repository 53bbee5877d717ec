/** The vectors in Node, on the build that `HALFOPEN_BACKEND` names. */

import * as halfopen from 'halfopen';

import { readVectors, tell } from './files.mjs';
import { runVectors } from './run.mjs';

tell(`node-${halfopen.backend}`, runVectors(readVectors(), halfopen));
