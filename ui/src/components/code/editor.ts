import { defaultKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { xml } from '@codemirror/lang-xml';
import { bracketMatching, codeFolding, foldGutter, foldKeymap } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
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

export type Code = { text: string; language: CodeLanguage; wrap: boolean; label: string; testId: string };

/** The wrapping of an editor, to be changed while it stands. */
export class Wrapping {
  readonly #part = new Compartment();

  extension(on: boolean): Extension {
    return this.#part.of(on ? EditorView.lineWrapping : []);
  }

  set(view: EditorView, on: boolean): void {
    view.dispatch({ effects: this.#part.reconfigure(on ? EditorView.lineWrapping : []) });
  }
}

/**
 * A reader of code in a shadow root: there CodeMirror puts its styles into constructed style sheets, which
 * `style-src 'self'` allows, where in the document it would need a style element, which it does not.
 */
export function openEditor(root: ShadowRoot, code: Code, wrapping: Wrapping): EditorView {
  const state = EditorState.create({
    doc: code.text,
    extensions: [
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
      wrapping.extension(code.wrap),
      languages[code.language](),
      codeTheme,
      keymap.of([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
    ],
  });
  return new EditorView({ state, root, parent: root });
}
