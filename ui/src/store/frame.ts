/** A page that is not shown has no frames: it goes on this slowly. In milliseconds. */
const HIDDEN_MS = 250;

/** Runs something at the next frame, or a little later where no frames are drawn. Returns how to call it off. */
export function nextFrame(run: () => void): () => void {
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, HIDDEN_MS);
  function stop() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  }
  function once() {
    stop();
    run();
  }
  return stop;
}
