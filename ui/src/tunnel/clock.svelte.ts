/** How often what is told in seconds moves on. In milliseconds. */
const EVERY_MS = 500;

/** The time in Unix milliseconds, moving on while `runs` says so. To be made while a component is set up. */
export function clock(runs: () => boolean): { readonly now: number } {
  let now = $state(Date.now());
  $effect(() => {
    if (!runs()) return;
    now = Date.now();
    const timer = setInterval(() => (now = Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      return now;
    },
  };
}
