const PORT_MAX = 65_535;

/** What stands before a port that is typed alone: the app is on this machine. */
export const APP_PREFIX = 'http://localhost:';

/**
 * URL of an app from what people type: a port (`3000`), a port and a path (`3000/hooks`), a host without its scheme
 * (`localhost:3000/hooks`), or a URL. Null when it is none of these. Whether it may be a target is the engine's to say.
 */
export function appUrl(text: string): string | null {
  const typed = text.trim();
  const port = /^:?(\d{1,5})(\/\S*)?$/.exec(typed);
  if (port) {
    const number = Number(port[1]);
    return number >= 1 && number <= PORT_MAX ? `${APP_PREFIX}${number}${port[2] ?? ''}` : null;
  }
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : /^[\w.-]+:\d|^\[/.test(typed) ? `http://${typed}` : null;
  if (url === null || !/^https?:\/\//i.test(url) || /\s/.test(url)) return null;
  return URL.canParse(url) ? url : null;
}

/** The same the other way round: as short as it can be typed. */
export function shortAppUrl(url: string): string {
  return url.startsWith(APP_PREFIX) ? url.slice(APP_PREFIX.length).replace(/^(\d+)\/$/, '$1') : url;
}

/** Host, port and path of a target, for a narrow place. What is no URL is shown as it is. */
export function hostAndPath(url: string): string {
  return url.replace(/^https?:\/\//i, '').replace(/^([^/]+)\/$/, '$1');
}
