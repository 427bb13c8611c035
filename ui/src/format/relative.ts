const narrow = new Intl.RelativeTimeFormat('en', { style: 'narrow', numeric: 'always' });

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Time for a narrow column as people say it: `now`, `12s ago`, `3m ago`, `5h ago`, `2d ago`. */
export function relative(timestamp: string, now: number): string {
  const at = Date.parse(timestamp);
  if (Number.isNaN(at)) return timestamp;
  // A clock that runs ahead by a little is not the future.
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  const step = STEPS.find(([, size]) => seconds >= size);
  if (!step) return 'now';
  return narrow.format(-Math.floor(seconds / step[1]), step[0]);
}
