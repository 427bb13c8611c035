import type { Host } from './contract';
import { HttpHost } from './http';
import { takeToken } from './token';

/** The host this page runs in. The window's part is loaded only inside the window. */
export async function pickHost(): Promise<Host> {
  if ('__TAURI_INTERNALS__' in window) {
    const { TauriHost } = await import('./tauri');
    return new TauriHost();
  }
  return new HttpHost(takeToken(window.location, window.history, window.sessionStorage));
}
