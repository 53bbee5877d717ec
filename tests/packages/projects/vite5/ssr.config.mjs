// Left to itself, Vite leaves packages outside of a server's bundle.
export default { ssr: { noExternal: true } };
