/**
 * JSON as text: checked against the grammar (RFC 8259) and indented, without ever making a value of it. Numbers, escapes,
 * repeated names and their order stay as they are. Nothing recurses, so that depth costs nothing but memory.
 */

/** Levels that are indented; deeper ones stand as far right as this one, so that depth does not multiply the text. */
const INDENT_LEVELS_MAX = 64;
const INDENT = '  ';

export type Formatted =
  | { ok: true; text: string; depth: number }
  /** `at` is an offset in UTF-16 units. */
  | { ok: false; at: number; reason: string }
  /** Right as far as it was read, and longer than is wanted once it is indented. */
  | { ok: 'too_long' };

// eslint-disable-next-line no-control-regex -- RFC 8259 section 7 keeps them out of strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const BYTE_ORDER_MARK = '\ufeff';

const newline = (depth: number) => `\n${INDENT.repeat(Math.min(depth, INDENT_LEVELS_MAX))}`;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or end';

class Formatter {
  readonly #text: string;
  readonly #limit: number;
  #at = 0;
  #out: string[] = [];
  #length = 0;
  /** Openers that are not closed yet. */
  #open: string[] = [];
  #deepest = 0;
  #expected: Expected = 'value';

  constructor(text: string, limit: number) {
    this.#text = text;
    this.#limit = limit;
  }

  run(): Formatted {
    if (this.#text.startsWith(BYTE_ORDER_MARK)) this.#put(BYTE_ORDER_MARK, 1);
    for (;;) {
      this.#at += this.#match(SPACE)?.length ?? 0;
      if (this.#at === this.#text.length) return this.#end();
      const reason = this.#token(this.#text.charAt(this.#at));
      if (reason) return { ok: false, at: this.#at, reason };
      if (this.#length > this.#limit) return { ok: 'too_long' };
    }
  }

  #end(): Formatted {
    if (this.#expected === ', or end' && this.#open.length === 0) {
      return { ok: true, text: this.#out.join(''), depth: this.#deepest };
    }
    return { ok: false, at: this.#at, reason: `it ends where ${this.#wanted()} should come` };
  }

  #wanted(): string {
    if (this.#expected !== ', or end') return this.#expected.replace('value', 'a value').replace('name', 'a name');
    if (this.#open.length === 0) return 'nothing more';
    return `, or ${this.#open.at(-1) === '{' ? '}' : ']'}`;
  }

  /** Takes a token; returns what is wrong with it, or null. */
  #token(first: string): string | null {
    if (this.#expected === ':') return first === ':' ? this.#colon() : this.#unexpected(first);
    if (this.#expected === ', or end') return this.#after(first);
    if (this.#expected === 'name' || this.#expected === 'name or }') {
      if (first === '}' && this.#expected === 'name or }') return this.#close(true);
      return first === '"' ? this.#scalar(STRING, ':') : this.#unexpected(first);
    }
    if (first === ']' && this.#expected === 'value or ]') return this.#close(true);
    if (first === '{' || first === '[') return this.#opener(first);
    if (first === '"') return this.#scalar(STRING, ', or end');
    return this.#scalar(/[-0-9]/.test(first) ? NUMBER : WORD, ', or end');
  }

  #colon(): null {
    this.#put(': ', 1);
    this.#expected = 'value';
    return null;
  }

  #after(first: string): string | null {
    const opener = this.#open.at(-1);
    if (opener === undefined) return this.#unexpected(first);
    if (first === ',') {
      this.#put(`,${newline(this.#open.length)}`, 1);
      this.#expected = opener === '{' ? 'name' : 'value';
      return null;
    }
    return first === (opener === '{' ? '}' : ']') ? this.#close(false) : this.#unexpected(first);
  }

  #opener(opener: string): null {
    this.#open.push(opener);
    this.#deepest = Math.max(this.#deepest, this.#open.length);
    this.#put(opener, 1);
    const next = /\S/g;
    next.lastIndex = this.#at;
    const closer = opener === '{' ? '}' : ']';
    // An empty one stays on its line; anything else begins the next.
    if (next.exec(this.#text)?.[0] !== closer) this.#put(newline(this.#open.length), 0);
    this.#expected = opener === '{' ? 'name or }' : 'value or ]';
    return null;
  }

  #close(empty: boolean): null {
    this.#open.pop();
    this.#put(`${empty ? '' : newline(this.#open.length)}${this.#text.charAt(this.#at)}`, 1);
    this.#expected = ', or end';
    return null;
  }

  #scalar(form: RegExp, then: Expected): string | null {
    const token = this.#match(form);
    if (token === null || token === '') {
      if (form === STRING) return 'a string that is not closed, or holds a control character or a wrong escape';
      return form === NUMBER
        ? 'a number in a form that JSON does not have'
        : this.#unexpected(this.#text.charAt(this.#at));
    }
    this.#put(token, token.length);
    this.#expected = then;
    return null;
  }

  #unexpected(first: string): string {
    return `“${first}” where ${this.#wanted()} should come`;
  }

  #match(form: RegExp): string | null {
    form.lastIndex = this.#at;
    return form.exec(this.#text)?.[0] ?? null;
  }

  #put(text: string, taken: number): void {
    this.#out.push(text);
    this.#length += text.length;
    this.#at += taken;
  }
}

/** Indents JSON up to `limit` UTF-16 units of output, or says where it is none. */
export function formatJson(text: string, limit: number): Formatted {
  return new Formatter(text, limit).run();
}
