/** What stands for a token that is not revealed. Its width says nothing about the token. */
export const MASK = '••••••••••••';

/**
 * The URL with its last path segment masked; a query stays. Works on relative paths. When there is no last segment to
 * mask, everything is masked: better nothing than a credential.
 */
export function maskUrl(url: string): string {
  const end = url.search(/[?#]/);
  const path = end < 0 ? url : url.slice(0, end);
  const rest = end < 0 ? '' : url.slice(end);
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(path)?.[0] ?? '';
  const slash = path.lastIndexOf('/');
  if (slash < authority.length || slash === path.length - 1) return MASK;
  return `${path.slice(0, slash + 1)}${MASK}${rest}`;
}

/** Where a text holds the URL of an endpoint, its token masked, whatever follows it. */
export function maskTokens(text: string): string {
  return text.replace(/\bep_[A-Za-z0-9_-]{8,}/g, MASK);
}
