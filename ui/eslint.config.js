import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// The tiers, lowest first. A folder may import from folders that stand before it, never from later ones:
//   generated, errors, format, host → components (no domain) → store → keys → parts → domain folders → shell
// Parts know the session and are shown in more than one domain folder.
const parts = ['tryout', 'tunnel', 'firstrun'];
const domainFolders = ['deliveries', 'endpoints', 'refusals', 'settings'];

const tauri = { group: ['@tauri-apps/*'], message: 'Only src/host may talk to the window. Use the Host contract.' };
const forbid = (folders, why) => ({
  group: folders.map((folder) => `**/${folder}/**`),
  message: why,
});
const restrict = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns: [tauri, ...patterns] }] });

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/generated/', 'playwright-report/', 'test-results/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'no-console': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      ...restrict(),
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Only src/host may call the network.' },
        { name: 'EventSource', message: 'It cannot send the Authorization header; use the Host contract.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'AssignmentExpression > MemberExpression.left[property.name="innerHTML"]',
          message: 'Payloads are only ever text.',
        },
        {
          selector: 'AssignmentExpression > MemberExpression.left[property.name="outerHTML"]',
          message: 'Payloads are only ever text.',
        },
        {
          selector: 'MemberExpression[object.name=/^(window|globalThis)$/][property.name="fetch"]',
          message: 'Only src/host may call the network.',
        },
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // Stores replace whole values ($state.raw); the maps inside a computation are never shown.
      'svelte/prefer-svelte-reactivity': 'off',
      // It does not count `??=` as a use.
      'no-unused-private-class-members': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'SvelteAttribute[key.name="style"]',
          message: "The policy is style-src 'self': use a class or a style: directive (CSSOM).",
        },
      ],
    },
  },
  {
    files: ['src/host/**/*.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            forbid([...domainFolders, ...parts, 'components', 'store', 'keys', 'shell'], 'host is the lowest tier.'),
          ],
        },
      ],
    },
  },
  {
    files: ['src/errors/**/*.ts', 'src/format/**/*.ts'],
    rules: restrict(
      forbid([...domainFolders, ...parts, 'components', 'store', 'keys', 'shell', 'host'], 'This is the lowest tier.'),
    ),
  },
  {
    files: ['src/components/**/*.{ts,svelte}'],
    rules: restrict(
      forbid([...domainFolders, ...parts, 'store', 'keys', 'shell', 'generated', 'host'], 'Components know no domain.'),
    ),
  },
  {
    files: ['src/store/**/*.ts'],
    rules: restrict(forbid([...domainFolders, ...parts, 'components', 'keys', 'shell'], 'Stores know no views.')),
  },
  {
    files: ['src/keys/**/*.{ts,svelte}'],
    rules: restrict(forbid([...domainFolders, ...parts, 'host', 'shell'], 'Keys know no domain.')),
  },
  {
    files: ['src/tryout/**/*.{ts,svelte}'],
    rules: restrict(forbid([...domainFolders, 'firstrun', 'shell'], 'Parts stand below the domain folders.')),
  },
  {
    files: ['src/firstrun/**/*.{ts,svelte}'],
    rules: restrict(forbid([...domainFolders, 'shell'], 'Parts stand below the domain folders.')),
  },
  ...domainFolders.map((folder) => ({
    files: [`src/${folder}/**/*.{ts,svelte}`],
    rules: restrict(
      forbid(
        domainFolders.filter((other) => other !== folder),
        'Domain folders do not import each other.',
      ),
      forbid(['shell'], 'The shell is above.'),
    ),
  })),
  {
    files: ['*.config.{js,ts}', 'e2e/**/*.ts', 'screenshots/**/*.ts', 'bench/**/*.ts'],
    languageOptions: { globals: { ...globals.node } },
    rules: { 'no-restricted-globals': 'off' },
  },
);
