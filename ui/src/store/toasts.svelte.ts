export type Toast = { id: number; tone: 'good' | 'bad'; text: string; detail: string };

/** How long a notice of success stays, in milliseconds. A failure stays until it is dismissed. */
const GOOD_MS = 4_000;

/** Short notices about what the user just did. */
export class ToastStore {
  list = $state.raw<Toast[]>([]);
  #next = 1;

  /** One at a time: the newer says that the older is done with. */
  good(text: string): void {
    this.list = this.list.filter((toast) => toast.tone !== 'good');
    const id = this.#add({ tone: 'good', text, detail: '' });
    setTimeout(() => this.dismiss(id), GOOD_MS);
  }

  bad(text: string, detail = ''): void {
    // The same failure twice is one notice.
    this.list = this.list.filter((toast) => toast.tone !== 'bad' || toast.text !== text);
    this.#add({ tone: 'bad', text, detail });
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): number {
    const id = this.#next++;
    this.list = [...this.list.slice(-3), { ...toast, id }];
    return id;
  }
}
