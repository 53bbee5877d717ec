import { told } from '../told.mjs';

export const dynamic = 'force-dynamic';

/** Run at each request. */
export const GET = async () => new Response(await told());
