/**
 * Replacements for hosts without these globals (jsdom in jest); the build puts them in place of what wasm-bindgen uses.
 */

class Decoder {
  decode(bytes: Uint8Array = new Uint8Array()): string {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  }
}

class Encoder {
  encode(text: string): Uint8Array {
    // Half of a surrogate pair alone is not a character.
    const escaped = encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
    const bytes = escaped.match(/%..|./gs) ?? [];
    return Uint8Array.from(bytes, (byte) =>
      byte.length === 3 ? Number.parseInt(byte.slice(1), 16) : byte.charCodeAt(0),
    );
  }
}

export const TextDecoder = globalThis.TextDecoder ?? Decoder;
export const TextEncoder = globalThis.TextEncoder ?? Encoder;
