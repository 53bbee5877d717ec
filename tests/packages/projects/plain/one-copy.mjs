import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const same = async (name) => require(name).CircuitBreaker === (await import(name)).CircuitBreaker;

console.log(await same('halfopen'), await same('halfopen-wasm'));
