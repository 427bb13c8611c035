import { defaultKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { xml } from '@codemirror/lang-xml';
import { bracketMatching, codeFolding, foldGutter, foldKeymap } from '@codemirror/language';
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view';
import { HIDDEN, marked } from '../../format/visible';
import { codeTheme } from './theme';

export type CodeLanguage = 'json' | 'xml' | 'text';

/** Text that would be invisible, or reorder its neighbours, as a mark with its name. */
const visibleMarks = highlightSpecialChars({
  specialChars: HIDDEN,
  render: (code) => {
    const { text, mark } = marked(String.fromCodePoint(code));
    const element = document.createElement('span');
    element.className = 'cm-mark';
    element.textContent = text;
    element.title = mark;
    element.setAttribute('aria-label', mark);
    return element;
  },
});

const languages: Record<CodeLanguage, () => Extension> = { json, xml, text: () => [] };

export type Code = { text: string; language: CodeLanguage; label: string; testId: string };

/**
 * A reader of code in a shadow root: there CodeMirror puts its styles into constructed style sheets, which
 * `style-src 'self'` allows, where in the document it would need a style element, which it does not.
 */
export class Editor {
  readonly #view: EditorView;
  readonly #wrapping = new Compartment();

  constructor(root: ShadowRoot, code: Code) {
    const state = EditorState.create({ doc: code.text, extensions: this.#extensions(code) });
    this.#view = new EditorView({ state, root, parent: root });
  }

  #extensions(code: Code): Extension {
    return [
      // Lines end at line feeds alone: a carriage return is a byte of the body and shows as a mark.
      EditorState.lineSeparator.of('\n'),
      EditorState.readOnly.of(true),
      EditorView.contentAttributes.of({
        'aria-label': code.label,
        'aria-readonly': 'true',
        'data-testid': code.testId,
        autocorrect: 'off',
        spellcheck: 'false',
      }),
      lineNumbers(),
      codeFolding(),
      foldGutter(),
      bracketMatching(),
      highlightSelectionMatches({ minSelectionLength: 2 }),
      search({ top: true }),
      visibleMarks,
      this.#wrapping.of([]),
      languages[code.language](),
      codeTheme,
      keymap.of([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
    ];
  }

  wrap(on: boolean): void {
    this.#view.dispatch({ effects: this.#wrapping.reconfigure(on ? EditorView.lineWrapping : []) });
  }

  find(): void {
    this.#view.focus();
    openSearchPanel(this.#view);
  }

  close(): void {
    this.#view.destroy();
  }
}
