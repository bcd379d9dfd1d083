// Which characters a name may be written with. The recommended scripts of Unicode (UAX 31, table 5) are those in everyday
// use; the others add few people and many look-alikes. Of each script only letters, marks and decimal digits, and without
// what no orthography of today needs: phonetic alphabets, historic letters, marks that strike a letter through, fillers.
// A name keeps to one script, but for those that are written together (UTS 39, "highly restrictive", without its Latin).

/** True when all of `text` can be written in one script (digits and `.`, `_`, `-` belong to all). */
export function isOneScript(text: string): boolean {
  return writtenTogether.some((pattern) => pattern.test(text))
}

/** True when decimal digits of two scripts stand together: the Bengali four looks like an eight. */
export function mixesDigits(text: string): boolean {
  return /[0-9]/.test(text) && /[\p{Nd}--[0-9]]/v.test(text)
}

const alone = [
  'Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer Lao Latin',
  'Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan',
]
  .join(' ')
  .split(' ')
  .map((script) => [script])

const together = [
  ['Han', 'Hiragana', 'Katakana'],
  ['Han', 'Bopomofo'],
  ['Han', 'Hangul'],
]

/** Latin, Greek and Cyrillic share the general accents; those that strike through or enclose a letter are left out. */
const accented = ['Latin', 'Greek', 'Cyrillic']
const accents = String.raw`\u0300-\u0315\u031B\u0323-\u0331\u0342`

const unneeded = [
  String.raw`\p{Default_Ignorable_Code_Point}`,
  // Latin: letters of phonetic and abandoned alphabets, clicks (they look like l and !), letter-like apostrophes and colons.
  String.raw`\u017F\u0184\u0185\u018D\u019B\u01A6-\u01A8\u01AA\u01AB\u01BA-\u01C3\u01F6\u01F7\u021C\u021D\u0221-\u0225`,
  String.raw`\u0234-\u0252\u0255\u0258\u025A\u025C-\u0262\u0264-\u0267\u026A-\u0271\u0273-\u0288\u028C-\u0291\u0293-\u02FF`,
  String.raw`\u0363-\u036F\u1D00-\u1DFF\u1E9A-\u1E9D\u1E9F\u1EFA-\u1EFF\u2132\u214E\u2183\u2184\u2C60-\u2C7F\uA720-\uA7FF\uAB30-\uAB6F`,
  // Greek: symbols that are letters again, archaic letters. Cyrillic: old letters and the titlo marks.
  String.raw`\u0345\u0370-\u037D\u037F\u03CF-\u03FF\u0460-\u0489\u1C80-\u1C8F\u2DE0-\u2DFF\uA640-\uA69F`,
  // Armenian: the half ring. Georgian: church capitals. Arabic: the stretching line, signs of recitation. India: Vedic signs.
  String.raw`\u0559\u10A0-\u10CF\u2D00-\u2D2F\u0640\u06E5\u06E6\u1CD0-\u1CFF`,
  // Hangul: parts of syllables. Japanese: halves of repeat marks. The supplementary planes, but for Han.
  String.raw`\u1100-\u11FF\uA960-\uA97F\uD7B0-\uD7FF\u3031-\u3035\u303B\u303C\u{10000}-\u{1FFFF}`,
].join('')

const writtenTogether = [...alone, ...together].map((scripts) => {
  const letters = scripts.map((script) => String.raw`\p{Script_Extensions=${script}}`).join('')
  const general = accented.some((script) => scripts.includes(script)) ? accents : ''
  const wanted = String.raw`[[${letters}${general}]&&[\p{L}\p{Mn}\p{Mc}\p{Nd}]]`
  return new RegExp(String.raw`^[[${wanted}--[${unneeded}]]0-9._\-]+$`, 'v')
})
