/** What `projects/shared/story.mjs` tells where the packages work. */
export const TOLD = 'wasm: answered, failed, CIRCUIT_OPEN provider';
