/** The matrices: every other bundler, framework, runtime, test tool and client. */

import { register } from './harness/register.mjs';

register({ quick: false });
