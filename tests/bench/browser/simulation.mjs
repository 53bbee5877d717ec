/** Measures the simulator's module in a page, and writes the simulated calls in a second to the given file. */

import { writeFileSync } from 'node:fs';

import { callsPerSecond } from '../../../docs/simulator/test/speed.mjs';
import { closeBrowser } from '../../../docs/simulator/test/stage.mjs';

writeFileSync(process.argv[2], JSON.stringify(await callsPerSecond(500)));
await closeBrowser();
