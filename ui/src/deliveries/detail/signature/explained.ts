import type { DeliverySummary, Explanation, Finding } from '../../../host/types';
import { reasonText } from '../../states';

const UNITS: [name: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** A time span in its two largest units: `1 hour 5 minutes`. */
export function span(seconds: number): string {
  let rest = Math.abs(Math.round(seconds));
  const words: string[] = [];
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(' ') || 'no time';
}

/** How far the timestamp lies from the arrival, and what is allowed. */
export function skewText(skew: number | null, tolerance: number | null): string | null {
  if (skew === null) return null;
  const apart =
    skew === 0
      ? 'at the second of its arrival'
      : skew > 0
        ? `${span(skew)} before it arrived`
        : `${span(skew)} after it arrived, by this machine’s clock`;
  return tolerance === null ? `${apart}; any age is accepted` : `${apart}; ${span(tolerance)} are allowed`;
}

/** What the sender was told, where the verdict has changed since. Null where there is nothing to add. */
export function thenAndNow(row: DeliverySummary, now: Explanation): string | null {
  if (row.status !== 'rejected' || now.status !== 'valid') return null;
  const then = row.reason ? ` (${reasonText(row.reason)})` : '';
  return `It was rejected when it arrived${then}; it is valid by the endpoint’s present settings. Replay it to have it relayed.`;
}

const CORRECTIONS: Record<string, string> = {
  secret_whitespace: 'Remove the white space',
  secret_quoted: 'Remove the quotes',
  secret_prefix: 'Remove the prefix',
  secret_prefix_stripped: 'Use it without the prefix',
  secret_decoded: 'Use what it decodes to',
};

/** What a finding's button says; null where the engine offers nothing. */
export function actionLabel(finding: Finding, providerName: (slug: string) => string): string | null {
  const { action } = finding;
  switch (action?.kind) {
    case 'correct_secret':
      return CORRECTIONS[finding.code] ?? 'Correct the secret';
    case 'copy_secret':
      return 'Accept that secret here too';
    case 'set_provider':
      return `Switch to ${providerName(action.provider)}…`;
    case 'set_scheme':
      return `Use the scheme ${action.scheme}`;
    case 'set_public_url':
      return 'Set the public URL';
    case 'set_signed_url':
      return 'Set the signed URL';
    default:
      return null;
  }
}

const CONFIDENCE: Record<string, string> = {
  certain: 'Certain',
  likely: 'Likely: the request shows signs of it',
  possible: 'Possible: nothing speaks against it',
};

export function confidenceText(confidence: string): string {
  return CONFIDENCE[confidence] ?? confidence;
}

/** Characters that stay together where a signature is broken into lines. */
const GROUP = 8;

/** Two signatures in groups of equal width, so that what is below each other stays so on every line. */
export type Pair = { received: string; expected: string };

export function pairs(received: string, expected: string): Pair[] {
  const [above, below] = [[...received], [...expected]];
  const result: Pair[] = [];
  for (let at = 0; at < Math.max(above.length, below.length); at += GROUP) {
    result.push({
      received: above.slice(at, at + GROUP).join(''),
      expected: below.slice(at, at + GROUP).join(''),
    });
  }
  return result;
}

/** Index of a group's first character. */
export const groupStart = (index: number): number => index * GROUP;
