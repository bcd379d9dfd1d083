/** What links were given to write: two whole numbers for all links of a server, so that counting costs next to nothing. */
export class Traffic {
  /** Frames, and other pieces that were written at once. */
  frames = 0
  /** Before encryption. */
  bytes = 0
}
