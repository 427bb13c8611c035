import { describe, expect, it } from 'vitest';
import suite from '../../e2e/hostile/json-test-suite.json';
import { formatJson } from './json';

const NO_LIMIT = Number.POSITIVE_INFINITY;

function pretty(text: string): string {
  const result = formatJson(text, NO_LIMIT);
  if (result.ok !== true) throw new Error(JSON.stringify(result));
  return result.text;
}

/** The text without the white space between its tokens; strings are kept whole. */
const compact = (text: string) => text.replace(/("(?:[^"\\]|\\[^])*")|[ \t\r\n]+/g, '$1');

/** A small generator with a seed, so that a failure can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const scalars = [
  '0',
  '-0',
  '1.0',
  '9007199254740993',
  '1e400',
  '-1E-7',
  '""',
  '"\\u00e9\\"\\\\"',
  '"{[,: ]}"',
  'true',
  'null',
  '"\u202e😀"',
];
const spaces = ['', ' ', '\n', '\t\r\n  '];

function value(pick: (below: number) => number, depth: number): string {
  const space = () => spaces[pick(spaces.length)] ?? '';
  const kind = depth === 0 ? 0 : pick(3);
  if (kind === 0) return `${space()}${scalars[pick(scalars.length)]}${space()}`;
  const items = Array.from({ length: pick(4) }, () => value(pick, depth - 1));
  if (kind === 1) return `${space()}[${items.join(',') || space()}]${space()}`;
  return `${space()}{${items.map((item) => `${space()}"k"${space()}:${item}`).join(',') || space()}}${space()}`;
}

describe('formatJson', () => {
  it('indents without a look at the values', () => {
    expect(pretty('{"b":1.0,"a":9007199254740993,"a":[1e400,{},[ ],"\\u00e9"]}')).toBe(
      '{\n  "b": 1.0,\n  "a": 9007199254740993,\n  "a": [\n    1e400,\n    {},\n    [],\n    "\\u00e9"\n  ]\n}',
    );
  });
  it('changes nothing but the white space between tokens', () => {
    const pick = random(7);
    for (let round = 0; round < 2_000; round += 1) {
      const text = value(pick, 5);
      expect(compact(pretty(text))).toBe(compact(text));
      expect(pretty(pretty(text))).toBe(pretty(text));
    }
  });
  it('takes what JSONTestSuite says must be taken, and refuses what must be refused', () => {
    const accepted = suite.filter(({ name }) => name.startsWith('y_'));
    const refused = suite.filter(({ name }) => name.startsWith('n_'));
    expect(accepted.length).toBeGreaterThan(90);
    expect(refused.length).toBeGreaterThan(170);
    for (const { name, input } of accepted) {
      expect(formatJson(input, NO_LIMIT).ok, name).toBe(true);
      expect(compact(pretty(input)), name).toBe(compact(input));
    }
    for (const { name, input } of refused) expect(formatJson(input, NO_LIMIT).ok, name).toBe(false);
  });
  it('says where and why', () => {
    expect(formatJson('{"a":1,}', NO_LIMIT)).toEqual({ ok: false, at: 7, reason: '“}” where a name should come' });
    expect(formatJson('[1', NO_LIMIT)).toMatchObject({ at: 2, reason: 'it ends where , or ] should come' });
    expect(formatJson('', NO_LIMIT)).toMatchObject({ ok: false, at: 0 });
  });
  it('does not overflow however deep it goes', () => {
    const depth = 1_000_000;
    expect(formatJson('['.repeat(depth), NO_LIMIT)).toMatchObject({ ok: false, at: depth });
    expect(formatJson(`${'['.repeat(depth)}${']'.repeat(depth)}`, 8 * 1024 * 1024)).toEqual({ ok: 'too_long' });
    expect(formatJson(`${'['.repeat(5_000)}${']'.repeat(5_000)}`, NO_LIMIT)).toMatchObject({ ok: true, depth: 5_000 });
  });
});
