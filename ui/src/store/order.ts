/** What a list sorted by the engine's order needs to know of a row. */
export type Ordered = { id: string; seq: number };

/** Rows newest first, each id once: an incoming row replaces the one that has its id. Neither input is changed. */
export function mergeRows<T extends Ordered>(rows: readonly T[], incoming: readonly T[]): T[] {
  if (incoming.length === 0) return rows.slice();
  const latest = new Map<string, T>();
  for (const row of incoming) latest.set(row.id, row);
  const added = [...latest.values()].sort((a, b) => b.seq - a.seq);
  const result: T[] = [];
  let next = 0;
  for (const row of rows) {
    if (latest.has(row.id)) continue;
    while (next < added.length && (added[next] as T).seq > row.seq) result.push(added[next++] as T);
    result.push(row);
  }
  while (next < added.length) result.push(added[next++] as T);
  return result;
}

/** How many rows at the head of a list, newest first, are newer than `seq`. */
export function newerThan(rows: readonly Ordered[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as Ordered).seq > seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
