// By default Vite does not bundle packages into a server build.
export default { ssr: { noExternal: true } };
