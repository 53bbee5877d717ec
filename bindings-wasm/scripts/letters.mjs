/**
 * Bytes as text, for the module inside the JavaScript: one letter for each of the most frequent bytes, two for each other.
 * Equal bytes stay equal letters, so it compresses as the bytes do, to 0.2 KB more; hexadecimal and base 64 cost 6 and
 * 17 KB more. `decoded` in `api/ts/letters.ts` reads it.
 */

/** How many letters stand for a byte alone; two more say that the next letter stands for a less frequent one. */
const SINGLES = 88;

/** ASCII, without what a string or a script in a page has to escape. */
const LETTERS = Array.from({ length: 92 }, (_, index) => String.fromCharCode(35 + index)).filter(
  (letter) => letter !== '<' && letter !== '\\',
);

/** The letters, and all bytes by their frequency. */
export function lettersOf(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) {
    counts[byte] += 1;
  }
  const order = [...counts.keys()].sort((one, other) => counts[other] - counts[one]);
  const texts = [];
  order.forEach((byte, place) => {
    const shift = Math.floor(place / SINGLES);
    texts[byte] = (shift === 0 ? '' : LETTERS[SINGLES + shift - 1]) + LETTERS[place % SINGLES];
  });
  return { order, letters: Array.from(bytes, (byte) => texts[byte]).join('') };
}
