/** How the core's names are spelled in JavaScript: one function each way. */

/** `timeout_seconds` becomes `timeoutSeconds`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z_])/g, (_, next: string) => next.toUpperCase());
}

/**
 * `timeoutSeconds` becomes `timeout_seconds`; the inverse of {@link camelCase}.
 *
 * An underscore is doubled, so that a name which is written the core's way is as unknown here as any other.
 */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every name in a sentence of the core's, spelled in JavaScript's way. */
export function inCamelCase(sentence: string): string {
  return sentence.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, camelCase);
}
