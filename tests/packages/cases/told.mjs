/** The output of `projects/shared/story.mjs` if the packages work. */
export const TOLD = 'wasm: answered, failed, CIRCUIT_OPEN provider';
