// Short ASCII texts that come again and again, as text and as CBOR: names of methods, keys of maps. Taken from here they are
// neither put together nor taken apart character by character. It is a table of a fixed size, in which a key may take the place
// of another: whoever sends keys of their own makes this slower, and nothing else. No values are kept, they may be secret.

/** A text and its CBOR: one byte of head, then one for each character. */
export interface KnownText {
  readonly text: string
  readonly bytes: Uint8Array
  /** Nothing takes its place. */
  readonly stays: boolean
}

/** The text whose head is at `at`, if it is known. */
export function knownAt(bytes: Uint8Array, at: number): KnownText | undefined {
  const length = (bytes[at] ?? 0) - head
  if (length <= 0 || length > lengthMax || at + length >= bytes.length) return undefined
  const known = slots[slotOf(length, bytes[at + 1] ?? 0, bytes[at + 1 + (length >> 1)] ?? 0, bytes[at + length] ?? 0)]
  return known !== undefined && isAt(known.bytes, bytes, at) ? known : undefined
}

/** The same of a text that is to be written. */
export function knownText(text: string): KnownText | undefined {
  const known = slots[slotOfText(text)]
  return known?.text === text ? known : undefined
}

/** Keeps a text for the next time; but for a long one, and one that is not ASCII. */
export function learnText(text: string, stays = false): void {
  const slot = slotOfText(text)
  if (text.length === 0 || text.length > lengthMax || !ascii.test(text) || slots[slot]?.stays === true) return
  const characters = Array.from(text, (character) => character.charCodeAt(0))
  slots[slot] = { text, bytes: Uint8Array.of(head + text.length, ...characters), stays }
}

function isAt(known: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[at + index]) return false
  return true
}

function slotOfText(text: string): number {
  const { length } = text
  return slotOf(length, text.charCodeAt(0), text.charCodeAt(length >> 1), text.charCodeAt(length - 1))
}

/** With these factors nearly each text of the contract has a slot of its own. */
function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length * 51 + first * 31 + middle * 7 + last * 57) % slotsCount
}

const ascii = /^[\0-\x7f]*$/
/** Of text of no characters; longer ones follow, up to those that have a second byte of head. */
const head = 0x60
const lengthMax = 23
const slotsCount = 2_048
const slots: (KnownText | undefined)[] = Array.from({ length: slotsCount }, () => undefined)
