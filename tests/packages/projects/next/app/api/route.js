import { printed } from '../printed.mjs';

export const dynamic = 'force-dynamic';

/** Run at each request. */
export const GET = async () => new Response(await printed());
