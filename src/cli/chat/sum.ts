// What somebody types behind /pay and /request: `[NAME] AMOUNT [UNIT] [for MEMO]`.

/** Money, as it was typed. */
export interface Sum {
  /** Nobody has checked it. */
  readonly amount: string
  /** Default: the standard one of the server. */
  readonly unit: string | undefined
  readonly memo: string | undefined
}

/** Reads it; `undefined` for what is nothing of the kind. A word counts as an amount when it begins like a number. */
export function readSum(text: string): { readonly who: string | undefined; readonly sum: Sum } | undefined {
  const [, head = '', memo] = /^(.*?)(?:\s+for(?:\s+(.*))?)?$/s.exec(text) ?? []
  const words = head.split(/\s+/).filter((word) => word !== '')
  const at = [1, 0].find((index) => isNumeral(words[index]))
  if (at === undefined || words.length > at + 2) return undefined
  const [amount = '', unit] = words.slice(at)
  return { who: at === 0 ? undefined : words[0], sum: { amount, unit, memo: memo === '' ? undefined : memo } }
}

/** What is wrong with a numeral is for whoever reads it to say. */
function isNumeral(word: string | undefined): boolean {
  return word !== undefined && /^[-+.,\p{Nd}]/u.test(word)
}
