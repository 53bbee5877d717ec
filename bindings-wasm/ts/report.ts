/** Faults of the host's own helpers: they are told once, and never to the caller of a guarded function. */

import { show } from './show.js';

interface Warner {
  emitWarning?: (warning: string, type: string) => void;
}

/** A reporter that tells of the first fault only: a broken helper is asked at every call. Never throws. */
export function reportOnce(message: string): (fault: unknown) => void {
  let told = false;
  return (fault) => {
    const shown = look(fault);
    if (!told) {
      told = true;
      warn(`${message}: ${shown}`);
    }
  };
}

/** A fault as a warning shows it. */
function look(fault: unknown): string {
  try {
    if (fault instanceof Promise) {
      // A helper that is `async` by mistake: nobody else will handle its rejection.
      fault.catch(() => undefined);
      return '(a promise)';
    }
    return fault instanceof Error ? `${fault.name}: ${fault.message}` : show(fault);
  } catch {
    return '(a value that cannot be looked at)';
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
    // Who has no way to be told is not told.
  }
}
