/** How many letters stand for a byte each. Any further letter selects another table for the next one. */
const SINGLES = 88;

/** The bytes of a module, from the text that `scripts/letters.mjs` has made of them. */
export function decoded(order: readonly number[], letters: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(letters.length);
  let length = 0;
  let shift = 0;
  for (let index = 0; index < letters.length; index++) {
    const code = letters.charCodeAt(index);
    // Two codes are not letters: those of `<` and of the backslash.
    const place = code - 35 - (code > 60 ? 1 : 0) - (code > 92 ? 1 : 0);
    if (place < SINGLES) {
      bytes[length++] = order[place + shift * SINGLES] as number;
      shift = 0;
    } else {
      shift = place - SINGLES + 1;
    }
  }
  return bytes.subarray(0, length);
}
