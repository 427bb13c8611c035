import { describe, expect, it } from 'vitest';
import { Ranks } from './ranks';

const row = (seq: number) => ({ id: `d${seq}`, seq });
const rows = (...seqs: number[]) => seqs.map(row);
const down = (from: number, count: number) => Array.from({ length: count }, (_, n) => row(from - n));

function filled(): Ranks<{ id: string; seq: number }> {
  const ranks = new Ranks<{ id: string; seq: number }>();
  ranks.put(0, rows(100, 99, 98));
  ranks.put(50, rows(50, 49, 48));
  return ranks;
}

describe('Ranks', () => {
  it('knows its rows by rank, and which ranks are missing', () => {
    const ranks = filled();
    expect([0, 2, 3, 49, 50, 52, 53].map((rank) => ranks.at(rank)?.seq)).toEqual([
      100,
      98,
      undefined,
      undefined,
      50,
      48,
      undefined,
    ]);
    expect(ranks.rankOf('d49')).toBe(51);
    expect(ranks.rankOf('d7')).toBeNull();
    expect(ranks.gaps(1, 60)).toEqual([
      { from: 3, to: 50 },
      { from: 53, to: 60 },
    ]);
    expect(ranks.around(20)).toEqual({ from: 3, to: 50, above: row(98) });
    expect(ranks.end).toBe(53);
  });

  it('moves every rank down by what comes on top, also marks', () => {
    const ranks = filled();
    const mark = ranks.mark(20);
    ranks.prepend(rows(103, 102), 2);
    ranks.prepend(rows(104), 2);
    expect(ranks.all().slice(0, 4)).toEqual(rows(104, 103, 102, 100));
    expect(ranks.rankOf('d50')).toBe(53);
    expect(mark.rank).toBe(23);
  });

  it('inserts between neighbours, and knows when it cannot tell the place', () => {
    const ranks = new Ranks<{ id: string; seq: number }>();
    ranks.put(0, rows(100, 97));
    ranks.put(10, rows(80, 70));
    expect(ranks.insert(row(98), false)).toBe(1);
    expect(ranks.rankOf('d80')).toBe(11);
    expect(ranks.insert(row(90), false)).toBe('gap');
    expect(ranks.rankOf('d80')).toBe(11);
    expect(ranks.insert(row(91), true)).toBe('gap');
    expect(ranks.rankOf('d80')).toBe(12);
    expect(ranks.insert(row(5), true)).toBe('below');
    expect(ranks.insert(row(101), false)).toBe(0);
    expect(ranks.rankOf('d80')).toBe(13);
  });

  it('closes up behind a row that goes', () => {
    const ranks = filled();
    expect(ranks.remove('d99')).toBe(1);
    expect(ranks.remove('d99')).toBeNull();
    expect(ranks.all()).toEqual(rows(100, 98, 50, 49, 48));
    expect(ranks.rankOf('d98')).toBe(1);
    expect(ranks.rankOf('d50')).toBe(49);
    for (const id of ['d50', 'd49', 'd48']) ranks.remove(id);
    expect(ranks.end).toBe(2);
  });

  it('sets ranks right that a page proves wrong', () => {
    const ranks = filled();
    // The page goes on into the rows below: there are only 4 between, not 47.
    ranks.put(3, rows(97, 96, 95, 94, 50));
    expect(ranks.rankOf('d50')).toBe(7);
    expect(ranks.gaps(0, 10)).toEqual([]);
    // The page begins with rows that are held: it lies behind them, whatever rank was expected.
    ranks.put(40, rows(49, 48, 47));
    expect(ranks.rankOf('d47')).toBe(10);
  });

  it('keeps a held row when a page brings an older state of it', () => {
    const ranks = new Ranks<{ id: string; seq: number; word?: string }>();
    ranks.put(0, [{ ...row(5), word: 'new' }]);
    ranks.put(0, [{ ...row(5), word: 'old' }, row(4)]);
    expect(ranks.at(0)?.word).toBe('new');
    expect(ranks.rankOf('d4')).toBe(1);
    expect(ranks.replace({ ...row(4), word: 'x' })).toBe(true);
    expect(ranks.get('d4')?.word).toBe('x');
    expect(ranks.replace(row(77))).toBe(false);
  });

  it('gives up what was not looked at for the longest time, never what is in view', () => {
    const ranks = new Ranks<{ id: string; seq: number }>();
    for (let page = 0; page < 10; page += 1) {
      ranks.put(page * 100, down(1000 - page * 100, 100));
      ranks.touch(page * 100, page * 100 + 40);
    }
    ranks.touch(0, 40);
    ranks.evict(300);
    expect(ranks.size).toBe(300);
    expect(ranks.at(0)?.seq).toBe(1000);
    expect(ranks.at(150)).toBeUndefined();
    expect(ranks.at(950)?.seq).toBe(50);
    ranks.touch(0, 1000);
    ranks.evict(10);
    expect(ranks.size).toBe(300);
  });

  it('holds the same as a plain list through any mix of changes', () => {
    const ranks = new Ranks<{ id: string; seq: number }>();
    let plain = down(2_000, 200);
    ranks.put(0, plain);
    let next = 2_001;
    let random = 42;
    const pick = (most: number) => (random = (random * 1_103_515_245 + 12_345) % 2_147_483_648) % most;
    for (let step = 0; step < 2_000; step += 1) {
      if (pick(3) > 0) {
        const fresh = down(next + 1, 2);
        next += 2;
        plain = [...fresh, ...plain];
        ranks.prepend(fresh, 50);
      } else {
        const gone = plain[pick(plain.length)] as { id: string; seq: number };
        plain = plain.filter((one) => one !== gone);
        ranks.remove(gone.id);
        if (pick(2) === 0) {
          ranks.insert(gone, true);
          plain = [...plain, gone].sort((a, b) => b.seq - a.seq);
        }
      }
      const rank = pick(plain.length);
      expect(ranks.at(rank)).toEqual(plain[rank]);
      expect(ranks.rankOf((plain[rank] as { id: string }).id)).toBe(rank);
    }
    expect(ranks.all()).toEqual(plain);
  });
});
