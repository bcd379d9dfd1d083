// How many values were at most so large, in a few fixed steps: what Prometheus calls a histogram.

export class Histogram {
  /** Upper ends, the smallest first; there is one more step for everything above. */
  readonly bounds: readonly number[]
  /** Of each step alone, the last one for what is above all bounds. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = [...bounds.map(() => 0), 0]
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let step = 0
    while (step < bounds.length && value > (bounds[step] ?? 0)) step++
    counts[step] = (counts[step] ?? 0) + 1
    this.sum += value
  }
}
