// The clock of every SDK: it stands where the question at hand says, so that no answer depends on when it is asked.
// Imported before the SDKs, some of which keep `Date` or `Date.now` when they are loaded.

const RealDate = Date;
let now = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(now);
    else super(...parts);
  }

  static now() {
    return now;
  }
};

/** Sets the clock, in Unix seconds. */
export function setClock(seconds) {
  now = seconds * 1000;
}
