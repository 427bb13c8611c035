/**
 * Opens a dialog as modal while it is in the document, and gives the focus back afterwards. The native dialog does that
 * only when it is closed before it is removed, which a component that is taken away cannot promise.
 */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = dialog.ownerDocument.activeElement;
  dialog.showModal();
  // It begins with what a widget inside says; the browser would take the first thing that can have the focus at all.
  dialog.querySelector<HTMLElement>('[data-begin-here]')?.focus();
  return () => {
    const page = dialog.ownerDocument;
    dialog.close();
    // Something else may have taken the focus on purpose.
    if (page.activeElement !== null && page.activeElement !== page.body) return;
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
}
