/** The smallest value that at least `percent` of all do not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** `p50 3 ms, p99 9 ms, max 12 ms` */
export function spread(values: readonly number[]): string {
  return `p50 ${ms(percentile(values, 50))}, p99 ${ms(percentile(values, 99))}, max ${ms(percentile(values, 100))}`;
}

/** One line: what was measured and the figure; with a goal also whether it is reached. */
export function tell(what: string, figure: string, goal?: { text: string; reached: boolean }): void {
  const told = goal === undefined ? '' : ` goal ${goal.text.padEnd(14)} ${goal.reached ? 'reached' : 'MISSED'}`;
  process.stdout.write(`  ${what.padEnd(46)} ${figure.padEnd(44)}${told}\n`);
}
