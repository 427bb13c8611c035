/** Whether the list follows what arrives. Catching, judging and relaying go on while it is paused. */
export class Follow {
  paused = $state(false);

  toggle(): void {
    this.paused = !this.paused;
  }
}
