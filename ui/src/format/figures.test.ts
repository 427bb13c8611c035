import { describe, expect, it } from 'vitest';
import { bytesExact, duration, size } from './size';
import { ago, fullTime, shortTime } from './time';

describe('size', () => {
  it('is exact below a kibibyte and rounded above', () => {
    expect(size(0)).toBe('0 B');
    expect(size(1023)).toBe('1023 B');
    expect(size(1024)).toBe('1.00 KiB');
    expect(size(27_262_976)).toBe('26.0 MiB');
    expect(size(5 * 1024 ** 3)).toBe('5.00 GiB');
  });
  it('is exact where a statement must be', () => {
    expect(bytesExact(27_262_976)).toBe('27,262,976 bytes');
    expect(bytesExact(1)).toBe('1 byte');
  });
});

describe('duration', () => {
  it('picks the unit that reads best', () => {
    expect(duration(0)).toBe('<1 ms');
    expect(duration(999)).toBe('999 ms');
    expect(duration(1260)).toBe('1.26 s');
    expect(duration(30_000)).toBe('30.0 s');
    expect(duration(61_000)).toBe('1 min 1 s');
  });
});

describe('time', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  it('says how long ago', () => {
    expect(ago('2026-03-01T11:59:59.500Z', now)).toBe('just now');
    expect(ago('2026-03-01T11:59:18Z', now)).toBe('42 s ago');
    expect(ago('2026-03-01T11:00:00Z', now)).toBe('1 h ago');
    expect(ago('2026-02-20T12:00:00Z', now)).toBe('9 d ago');
    expect(ago('2026-03-01T12:00:30Z', now)).toBe('just now');
  });
  it('shows what it cannot read as it is', () => {
    expect(shortTime('soon', now)).toBe('soon');
    expect(fullTime('soon')).toBe('soon');
  });
  it('shows milliseconds in full', () => {
    expect(fullTime('2026-03-01T11:59:59.042Z')).toContain('.042');
  });
  it('drops the day only for today', () => {
    expect(shortTime('2026-03-01T11:59:59.042Z', now)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(shortTime('2025-12-24T11:59:59Z', now)).toContain('Dec');
  });
});
