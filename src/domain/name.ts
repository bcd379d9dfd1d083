// Names of accounts. A name has three forms: as its owner wrote it, which others are shown; the key by which it is found,
// the same however it is cased or composed; and the skeleton, what it looks like, so that nobody can register a name
// that others would take for somebody else's. The store keeps keys and skeletons unique (decision 0005).

import { SealwireError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import { nameKey } from './case-fold.ts'
import { skeleton } from './confusables.ts'
import { isOneScript, mixesDigits } from './script.ts'

/** The three forms of an account's name. */
export interface Name {
  /** As written (NFC). */
  readonly name: string
  /** NFKC and case folded; unique among accounts. */
  readonly key: string
  /** What it looks like; unique among accounts. */
  readonly skeleton: string
}

/** The bound that {@link parseName} keeps. */
export type NameLimits = Pick<Limits, 'nameCharactersMax'>

/**
 * Checks a name and derives its forms. Nothing is trimmed or repaired.
 * @throws {SealwireError} `name_invalid`, saying which rule it breaks.
 */
export function parseName(text: string, limits: NameLimits): Name {
  const max = limits.nameCharactersMax
  if (text === '') throw invalid('a name cannot be empty')
  // Told from the length alone before any other work: composing makes at most four characters of two units into one.
  if (text.length > 8 * max) throw tooLong(max)
  const name = text.normalize('NFC')
  const forms = [name, name.normalize('NFKC')]
  for (const form of forms) {
    checkCharacters(form)
    if (Array.from(form).length > max) throw tooLong(max)
  }
  checkMarks(name)
  const key = nameKey(name)
  if (![...forms, key].every(isOneScript)) throw invalid('a name keeps to the letters of one script in everyday use')
  if (forms.some(mixesDigits)) throw invalid('a name keeps to the digits of one script')
  return { name, key, skeleton: skeleton(name) }
}

function checkCharacters(form: string): void {
  if (/[\p{C}\p{Default_Ignorable_Code_Point}]/u.test(form)) {
    throw invalid('a name cannot hold a control character, an invisible or an unknown one')
  }
  if (/\s/u.test(form)) throw invalid('a name cannot hold a space')
  if (/[^\p{L}\p{Mn}\p{Mc}\p{Nd}._-]/u.test(form)) throw invalid('a name holds letters, digits and the signs . _ - only')
  if (!/[\p{L}\p{Nd}]/u.test(form)) throw invalid('a name holds at least one letter or digit')
  // A leading dash would read as a flag on a command line, a final dot as the end of a sentence.
  if (/^[.-]|[.-]$/u.test(form)) throw invalid('a name neither begins nor ends with . or -')
}

/** A mark stands on a letter, not twice, and not on five others: the tower would grow into the lines above. */
function checkMarks(name: string): void {
  if (/(?<![\p{L}\p{M}])\p{M}|(\p{Mn})\1|\p{Mn}{6}/u.test(name.normalize('NFD'))) {
    throw invalid('a name cannot have an accent without a letter or a pile of accents on one')
  }
}

function tooLong(max: number): SealwireError {
  return invalid(`a name has at most ${max} characters`)
}

function invalid(sentence: string): SealwireError {
  return new SealwireError('name_invalid', sentence)
}
