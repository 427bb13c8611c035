/** What a colour says. Never alone: a glyph and a word stand beside it. */
export type Tone = 'good' | 'warn' | 'bad' | 'odd' | 'calm' | 'busy';
