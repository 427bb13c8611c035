import { ago, fullTime } from '../../format/time';
import { size } from '../../format/size';

/** Times that a header may mean, in Unix seconds: 2001 to 2100. Other numbers are just numbers. */
const SECONDS_MIN = 978_307_200;
const SECONDS_MAX = 4_102_444_800;

function time(milliseconds: number, now: Date): string {
  const timestamp = new Date(milliseconds).toISOString();
  const apart = milliseconds > now.getTime() ? 'in the future' : ago(timestamp, now);
  return `${fullTime(timestamp)}, ${apart}`;
}

function unix(digits: string, now: Date): string | null {
  const value = Number(digits);
  if (digits.length === 10 && value >= SECONDS_MIN && value <= SECONDS_MAX) return time(value * 1000, now);
  if (digits.length === 13 && value >= SECONDS_MIN * 1000 && value <= SECONDS_MAX * 1000) return time(value, now);
  return null;
}

/** HTTP dates (RFC 9110 section 5.6.7) and RFC 3339, and nothing else that `Date` would guess at. */
const DATES =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))$/;

/** What a header's value means, where it is written for machines; null where there is nothing to add. */
export function headerHint(name: string, value: string, now: Date): string | null {
  const text = value.trim();
  if (/^\d{10}$|^\d{13}$/.test(text)) return unix(text, now);
  // As in `Stripe-Signature: t=1700000000,v1=...`.
  const stamped = /(?:^|[,;\s])t=(\d{10}|\d{13})(?=[,;\s]|$)/.exec(text);
  if (stamped?.[1]) return unix(stamped[1], now);
  if (DATES.test(text)) {
    const parsed = Date.parse(text);
    return Number.isNaN(parsed) ? null : time(parsed, now);
  }
  if (name.toLowerCase() === 'content-length' && /^\d{4,15}$/.test(text)) return size(Number(text));
  return null;
}
