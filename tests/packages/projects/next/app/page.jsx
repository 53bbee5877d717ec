import { printed } from './printed.mjs';

/** Rendered when the project is built. */
export default async function Page() {
  return <output>{await printed()}</output>;
}
