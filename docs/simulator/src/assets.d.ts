declare module '*.css' {
  const text: string;
  export default text;
}
/** The source of the worker, which `build.mjs` bundles first. */
declare module 'worker-source' {
  const text: string;
  export default text;
}
