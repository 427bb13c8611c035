import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// Colours are the page's custom properties, which reach into the shadow root: both themes come from one place.
const look = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--fg)', fontSize: 'var(--text-md)', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.55', fontVariantLigatures: 'none' },
  '.cm-content': { padding: 'var(--space-2) 0', caretColor: 'var(--fg)' },
  '.cm-gutters': {
    backgroundColor: 'var(--surface-2)',
    color: 'var(--fg-faint)',
    borderRight: '1px solid var(--border)',
  },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--surface-3) 45%, transparent)' },
  '.cm-foldGutter span': { cursor: 'pointer' },
  '.cm-foldPlaceholder': {
    backgroundColor: 'var(--surface-3)',
    border: '1px solid var(--border)',
    color: 'var(--fg-muted)',
    padding: '0 0.4em',
  },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent) !important',
  },
  '.cm-cursor': { borderLeftColor: 'var(--fg)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '.cm-searchMatch': { backgroundColor: 'var(--warn-soft)', outline: '1px solid var(--warn)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--warn)', color: 'var(--surface)' },
  '.cm-mark': {
    padding: '0 0.2em',
    borderRadius: '3px',
    backgroundColor: 'var(--warn-soft)',
    color: 'var(--warn)',
    fontSize: '0.85em',
    unicodeBidi: 'isolate',
  },
  '.cm-panels': { backgroundColor: 'var(--surface-2)', color: 'var(--fg)', borderBottom: '1px solid var(--border)' },
  '.cm-panel.cm-search': { padding: 'var(--space-1) var(--space-5) var(--space-1) var(--space-2)' },
  '.cm-panel.cm-search input.cm-textfield': { width: '10rem' },
  '.cm-panels label': { fontSize: 'var(--text-sm)', fontFamily: 'var(--font-ui)' },
  '.cm-textfield': {
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--border-strong)',
    borderRadius: 'var(--radius-1)',
    color: 'var(--fg)',
    fontSize: 'var(--text-md)',
  },
  '.cm-button': {
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--border-strong)',
    borderRadius: 'var(--radius-1)',
    color: 'var(--fg)',
    fontSize: 'var(--text-sm)',
    textTransform: 'capitalize',
  },
  '.cm-panel.cm-search [name=close]': { color: 'var(--fg-muted)', fontSize: 'var(--text-lg)', padding: '0 0.4em' },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--code-name, var(--accent))' },
  { tag: [tags.string, tags.attributeValue], color: 'var(--code-string, var(--good))' },
  { tag: tags.number, color: 'var(--code-number, var(--busy))' },
  { tag: [tags.bool, tags.null, tags.keyword, tags.tagName], color: 'var(--code-word, var(--odd))' },
  { tag: [tags.comment, tags.processingInstruction], color: 'var(--fg-faint)' },
  { tag: [tags.punctuation, tags.separator, tags.bracket, tags.angleBracket], color: 'var(--fg-muted)' },
]);

export const codeTheme: Extension = [look, syntaxHighlighting(colours)];
