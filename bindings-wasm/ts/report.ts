/** Faults of the host's own helpers: they are told once, and never to the caller of a guarded function. */

import { show } from './show.js';

interface Warner {
  emitWarning?: (warning: string, type: string) => void;
}

/** A reporter that tells of the first fault only: a broken helper is asked at every call. Never throws. */
export function reportOnce(message: string): (fault: unknown) => void {
  let told = false;
  return (fault) => {
    try {
      silence(fault);
      if (!told) {
        told = true;
        warn(`${message}: ${describe(fault)}`);
      }
    } catch {
      // Who has no way to be told is not told.
    }
  };
}

/** Warns the way the host warns. */
function warn(warning: string): void {
  const { process: host } = globalThis as { process?: Warner };
  if (typeof host?.emitWarning === 'function') {
    host.emitWarning(warning, 'HalfopenWarning');
  } else {
    console.error(`HalfopenWarning: ${warning}`);
  }
}

function describe(fault: unknown): string {
  return fault instanceof Error ? `${fault.name}: ${fault.message}` : show(fault);
}

/** A helper that is `async` by mistake returns a promise, and nobody else will handle its rejection. */
function silence(fault: unknown): void {
  if (fault instanceof Promise) {
    fault.catch(() => undefined);
  }
}
