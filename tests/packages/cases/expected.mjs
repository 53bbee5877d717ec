/** The output of `projects/shared/story.mjs` if the packages work. */
export const EXPECTED = 'wasm: answered, failed, CIRCUIT_OPEN provider';
