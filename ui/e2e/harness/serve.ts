import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { createServer } from 'vite';

/** Serves the harness page from the sources; ends with `close`. */
export async function serveHarness(): Promise<{ url: string; close: () => Promise<void> }> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [svelte({ configFile: false })],
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    // A fresh cache for each: two servers at once would spoil each other's.
    cacheDir: `node_modules/.vite-harness-${process.pid}`,
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The harness has no port.');
  return { url: `http://127.0.0.1:${address.port}/e2e/harness/index.html`, close: () => server.close() };
}
