const sentences: Record<string, string> = {
  unknown_token: 'The path names no endpoint. A rotated or mistyped URL?',
  invalid_body: 'The endpoint takes JSON only, and the body is no JSON object or array.',
  malformed_http: 'The request is not HTTP/1.1 as it must be.',
  timeout: 'Head or body did not come in time.',
  aborted: 'The sender went away before the body was complete.',
  body_too_large: 'The body is larger than the limit. See Settings.',
  rate_limited: 'A rate limit was reached. See Settings.',
  store_unavailable: 'It could not be stored: the disk may be full.',
  overloaded: 'Too many bytes or connections at once.',
};

/** Why a request was refused, for people. */
export function refusalSentence(reason: string): string {
  return sentences[reason] ?? reason.replaceAll('_', ' ');
}
