import { describe, expect, it } from 'vitest';
import { ScrollScale, UNSCALED_PX_MAX } from './scroll_scale';

describe('ScrollScale', () => {
  it('leaves a list alone that fits', () => {
    const scale = new ScrollScale(30_000, 600);
    expect(scale.isScaled).toBe(false);
    expect(scale.height).toBe(30_000);
    for (const top of [0, 1, 777, 29_400]) {
      expect(scale.toList(top)).toBe(top);
      expect(scale.toElement(top)).toBe(top);
    }
    expect(scale.toList(30_000)).toBe(29_400);
  });

  it('reaches both ends of a million rows exactly, below the height that every browser takes', () => {
    for (const rowHeight of [24, 30, 60]) {
      const scale = new ScrollScale(1_000_000 * rowHeight, 600);
      expect(scale.height).toBe(UNSCALED_PX_MAX);
      expect(scale.toList(0)).toBe(0);
      expect(scale.toList(scale.height - 600)).toBe(1_000_000 * rowHeight - 600);
      expect(scale.toElement(1_000_000 * rowHeight - 600)).toBe(scale.height - 600);
    }
  });

  it('never goes back, has no leap, and each way undoes the other', () => {
    const scale = new ScrollScale(30_000_000, 800);
    let before = -1;
    for (let top = 0; top <= scale.height - 800; top += 9_973) {
      const at = scale.toList(top);
      expect(at).toBeGreaterThan(before);
      expect(at - before).toBeLessThan(9_973 * 5);
      expect(scale.toElement(at)).toBeCloseTo(top, 3);
      before = at;
    }
  });

  it('moves pixel by pixel near both ends', () => {
    const scale = new ScrollScale(30_000_000, 800);
    expect(scale.toList(50_000)).toBe(50_000);
    expect(scale.toList(scale.height - 800 - 50_000)).toBe(30_000_000 - 800 - 50_000);
  });

  it('knows a list that is shorter than its window', () => {
    const scale = new ScrollScale(90, 600);
    expect(scale.toList(50)).toBe(0);
    expect(scale.travel).toBe(0);
  });
});
