// Which word was meant: the nearest of the possible ones, if it is near enough to be worth saying.

/** The candidate with the fewest edits from `word`, or `undefined` when more than two fifths of the letters differ. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: { readonly candidate: string; readonly edits: number } | undefined
  for (const candidate of candidates) {
    const editsMax = Math.max(word.length, candidate.length) * 0.4
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase(), editsMax)
    if (edits > editsMax) continue
    if (nearest === undefined || edits < nearest.edits) nearest = { candidate, edits }
  }
  return nearest?.candidate
}

/** The hint that goes with {@link suggest}: `did you mean X?`, or `otherwise` when nothing is near. */
export function suggestion(word: string, candidates: Iterable<string>, otherwise: string): string {
  const candidate = suggest(word, candidates)
  return candidate === undefined ? otherwise : `did you mean ${candidate}?`
}

/** Insertions, removals, replacements and swaps of neighbours (optimal string alignment); Infinity for surely more than `max`. */
function editDistance(from: string, to: string, max: number): number {
  if (Math.abs(from.length - to.length) > Math.min(max, lengthDifferenceMax)) return Infinity
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column)
  let leastOfLast = 0
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    let least = row
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const edits = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      )
      current.push(edits)
      least = Math.min(least, edits)
    }
    // A row builds on the two before it: from here on it only gets more.
    if (least > max && leastOfLast > max) return Infinity
    leastOfLast = least
    beforeLast = last
    last = current
  }
  return at(last, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}

/** Words of very different length are never near; looking no further also bounds the work for a long word. */
const lengthDifferenceMax = 8
