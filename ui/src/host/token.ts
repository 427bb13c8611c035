const KEY = 'creel.admin_token';

/**
 * Moves the admin token from the address (`#token=...`) to this tab's session storage, so that it stands neither in the
 * address bar nor in the history, and survives a reload. Returns the token, or null when the tab has none.
 */
export function takeToken(location: Location, history: History, storage: Storage): string | null {
  const fragment = new URLSearchParams(location.hash.replace(/^#\/?/, ''));
  const token = fragment.get('token');
  if (token) {
    storage.setItem(KEY, token);
    history.replaceState(null, '', location.pathname + location.search);
    return token;
  }
  return storage.getItem(KEY);
}

/** Forgets a token that the engine refused. */
export function dropToken(storage: Storage): void {
  storage.removeItem(KEY);
}
