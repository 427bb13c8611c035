const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const hourAndMinute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'short',
});

function parse(timestamp: string): Date | null {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Time for a narrow column: seconds today, day and minutes before. What cannot be read is shown as it is. */
export function shortTime(timestamp: string, now: Date): string {
  const date = parse(timestamp);
  if (!date) return timestamp;
  return date.toDateString() === now.toDateString()
    ? clock.format(date)
    : `${day.format(date)} ${hourAndMinute.format(date)}`;
}

/** Local time to the millisecond, with its zone. */
export function fullTime(timestamp: string): string {
  const date = parse(timestamp);
  return date ? full.format(date) : timestamp;
}

/** `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function ago(timestamp: string, now: Date): string {
  const date = parse(timestamp);
  if (!date) return timestamp;
  const seconds = Math.max(0, Math.round((now.getTime() - date.getTime()) / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
