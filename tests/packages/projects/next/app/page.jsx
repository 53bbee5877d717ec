import { told } from './told.mjs';

/** Rendered when the project is built. */
export default async function Page() {
  return <output>{await told()}</output>;
}
