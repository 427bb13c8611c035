const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'];
const exact = new Intl.NumberFormat('en-US');

/** `1,234` */
export function count(value: number): string {
  return exact.format(value);
}

/** Bytes for a column: exact below 1 KiB, else three significant digits. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = '';
  for (const next of UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}

/** `1,234 bytes`, for statements that must be exact. */
export function bytesExact(bytes: number): string {
  return `${count(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

/** Milliseconds for a column: measured in whole ones, so that none is less than one. */
export function duration(ms: number): string {
  if (ms < 0.5) return '<1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Something a second, for a status line: one digit behind the point while it is small. */
export function rate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  if (perSecond < 0.1) return '<0.1/s';
  return `${perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))}/s`;
}
