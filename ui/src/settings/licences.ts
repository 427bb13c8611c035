/** What the window is built with and carries in it, under its own licence. `licences.test.ts` holds it to package.json. */
export const BUILT_WITH: { name: string; packages: string[]; licence: string }[] = [
  { name: 'Svelte', packages: ['svelte'], licence: 'MIT' },
  { name: 'Bits UI', packages: ['bits-ui'], licence: 'MIT' },
  {
    name: 'CodeMirror and Lezer',
    packages: [
      '@codemirror/commands',
      '@codemirror/lang-json',
      '@codemirror/lang-xml',
      '@codemirror/language',
      '@codemirror/search',
      '@codemirror/state',
      '@codemirror/view',
      '@lezer/highlight',
    ],
    licence: 'MIT',
  },
  { name: 'Lucide icons', packages: ['@lucide/svelte'], licence: 'ISC' },
  { name: 'JetBrains Mono', packages: ['@fontsource-variable/jetbrains-mono'], licence: 'OFL-1.1' },
  { name: 'Tauri', packages: ['@tauri-apps/api'], licence: 'Apache-2.0 OR MIT' },
];
