import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/**
 * bits-ui writes `style="display: contents;"` into its markup, which the policy `style-src 'self'` refuses. Said as a
 * directive it goes through the CSSOM, which the policy allows. `e2e/keyboard.spec.ts` fails when this misses one.
 */
const styleAttributes = {
  name: 'style-attributes',
  markup({ content, filename }) {
    if (!filename?.includes('/bits-ui/') || !content.includes('style="display: contents;"')) return undefined;
    return { code: content.replaceAll('style="display: contents;"', 'style:display="contents"') };
  },
};

export default {
  preprocess: [styleAttributes, vitePreprocess({ script: true })],
  compilerOptions: { runes: true },
};
