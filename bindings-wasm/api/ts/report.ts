/**
 * Reports faults of the user's clock, classifier and listeners: as a warning, never to the caller of a guarded
 * function.
 */

import { formatValue } from './format-value.js';

interface Warner {
  emitWarning?: (warning: string, type: string) => void;
}

/** Reports only the first fault, because a broken helper fails at every call. Never throws. */
export function reportOnce(message: string): (fault: unknown) => void {
  let reported = false;
  return (fault) => {
    const shown = describe(fault);
    if (!reported) {
      reported = true;
      warn(`${message}: ${shown}`);
    }
  };
}

function describe(fault: unknown): string {
  try {
    if (fault instanceof Promise) {
      // A helper that is `async` by mistake: nobody else will handle its rejection.
      fault.catch(() => undefined);
      return '(a promise)';
    }
    return fault instanceof Error ? `${fault.name}: ${fault.message}` : formatValue(fault);
  } catch {
    return '(a value that cannot be read)';
  }
}

/** Warns the way the host warns. */
function warn(warning: string): void {
  try {
    const { process: host } = globalThis as { process?: Warner };
    if (typeof host?.emitWarning === 'function') {
      host.emitWarning(warning, 'HalfopenWarning');
    } else {
      console.error(`HalfopenWarning: ${warning}`);
    }
  } catch {
    // A host without a console.
  }
}
