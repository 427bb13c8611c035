/** Where a time is told: as the user's clock shows it, or in UTC. */
export type Zone = 'local' | 'utc';

type Formats = {
  clock: Intl.DateTimeFormat;
  day: Intl.DateTimeFormat;
  minute: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
};

function formats(timeZone: string | undefined): Formats {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { timeZone, ...options });
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  return {
    clock: format(time),
    day: format({ day: 'numeric', month: 'short' }),
    minute: format({ hour: '2-digit', minute: '2-digit' }),
    full: format({
      year: 'numeric',
      month: 'short',
      day: '2-digit',
      ...time,
      fractionalSecondDigits: 3,
      timeZoneName: 'short',
    }),
  };
}

const byZone: Record<Zone, Formats> = { local: formats(undefined), utc: formats('UTC') };

/** In milliseconds. */
const DAY_MS = 86_400_000;

function parse(timestamp: string): Date | null {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Time for a narrow column: seconds today, day and minutes before. What cannot be read is shown as it is. */
export function shortTime(timestamp: string, now: Date, zone: Zone = 'local'): string {
  const date = parse(timestamp);
  if (!date) return timestamp;
  const { clock, day, minute } = byZone[zone];
  const today = day.format(date) === day.format(now) && Math.abs(now.getTime() - date.getTime()) < 2 * DAY_MS;
  return today ? clock.format(date) : `${day.format(date)} ${minute.format(date)}`;
}

/** Time to the millisecond, with its zone. */
export function fullTime(timestamp: string, zone: Zone = 'local'): string {
  const date = parse(timestamp);
  return date ? byZone[zone].full.format(date) : timestamp;
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
