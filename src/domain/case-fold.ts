// Case folding: what `Alice`, `ALICE` and `alice` have in common. The language runtime knows upper and lower case but not
// Unicode's full case folding, so it is made of them: lower, upper and lower again takes ẞ and ß to ss and the Greek
// iota below to ι; the final sigma becomes σ. One deliberate difference: the four Turkish letters i, I, ı, İ are one, so
// that a name is found whichever language its reader's keyboard speaks.

/** Folds case. The result is in NFD; two texts that differ in case only have one result. */
export function caseFold(text: string): string {
  const folded = text.normalize('NFD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
  return withoutSoftDots(folded.normalize('NFD'))
}

/** The form under which a name is looked up: NFKC and case folded. Stable: the key of a key is the key itself. */
export function nameKey(text: string): string {
  // Folding can make a character that NFKC changes and the other way round; the second pass settles both.
  const once = caseFold(text).normalize('NFKC')
  return caseFold(once).normalize('NFKC')
}

/** Drops the dot that an i or a j has anyway: what is left of İ, and what would be an invisible difference. Wants NFD. */
function withoutSoftDots(text: string): string {
  return text.replace(/[ij]\p{M}+/gu, (dotted) => dotted.replaceAll(dotAbove, ''))
}

const dotAbove = '\u0307'
