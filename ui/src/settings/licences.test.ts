import { describe, expect, it } from 'vitest';
import manifest from '../../package.json';
import { BUILT_WITH } from './licences';

const stated = import.meta.glob<string>(
  [
    '/node_modules/{svelte,bits-ui}/package.json',
    '/node_modules/{@codemirror,@lezer,@lucide,@fontsource-variable,@tauri-apps}/*/package.json',
  ],
  { eager: true, import: 'license', exhaustive: true },
);

describe('the list of licences', () => {
  it('names every package that the window carries, with the licence that the package states', () => {
    const carried = ['svelte', ...Object.keys(manifest.dependencies)];
    const named = BUILT_WITH.flatMap(({ packages }) => packages);
    expect([...named].sort()).toEqual([...carried].sort());
    for (const { packages, licence } of BUILT_WITH) {
      for (const name of packages) expect(stated[`/node_modules/${name}/package.json`], name).toBe(licence);
    }
  });
});
