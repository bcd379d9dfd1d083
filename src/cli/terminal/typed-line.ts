// A line as keys make it, for a terminal that leaves everything to us: Enter ends it, Backspace takes a character back,
// Ctrl-U all of them. What arrow and function keys send is skipped; otherwise it would be a part of a password that
// nobody sees.

/** How a line came to its end: `interrupted` is Ctrl-C, `abandoned` Ctrl-D at its beginning. */
export type LineEnd = 'entered' | 'abandoned' | 'interrupted'

export class TypedLine {
  readonly #bytesMax: number
  readonly #typed: number[] = []
  #end: LineEnd | undefined
  #escape: 'none' | 'begun' | 'sequence' = 'none'

  /** Of a line that grows over `bytesMax` one byte more is kept, so that its owner can tell. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get end(): LineEnd | undefined {
    return this.#end
  }

  /** What stands on the line. */
  get bytes(): Uint8Array {
    return this.#end === 'abandoned' ? new Uint8Array() : Uint8Array.from(this.#typed)
  }

  /** Takes keys up to the end of the line and returns those behind it. */
  type(keys: Uint8Array): Uint8Array {
    let taken = 0
    while (this.#end === undefined && taken < keys.length) this.#key(keys[taken++] ?? 0)
    // Esc by itself is a key, and no beginning of one that comes later.
    if (this.#escape === 'begun') this.#escape = 'none'
    // A pasted line may end with both.
    if (keys[taken - 1] === carriageReturn && keys[taken] === newline) taken++
    return keys.subarray(taken)
  }

  #key(byte: number): void {
    // A control ends a sequence that has no end, and counts.
    if (this.#escape !== 'none' && byte >= 0x20) return this.#skip(byte)
    this.#escape = 'none'
    const end = ends.get(byte)
    if (end !== undefined) this.#end = end
    else if (byte === escape) this.#escape = 'begun'
    else if (byte === controlD && this.#typed.length === 0) this.#end = 'abandoned'
    else if (byte === backspace || byte === deletion) this.#erase()
    else if (byte === controlU) this.#typed.length = 0
    else if (byte >= 0x20 && this.#typed.length <= this.#bytesMax) this.#typed.push(byte)
  }

  /** Takes back the last character, all of its bytes. */
  #erase(): void {
    while (isContinuation(this.#typed.pop())) {}
  }

  /** ECMA-48: after `Esc [` come parameters and one final byte; after `Esc` and anything else, nothing or that key. */
  #skip(byte: number): void {
    if (this.#escape === 'begun') this.#escape = byte === bracket || byte === letterO ? 'sequence' : 'none'
    else if (byte >= 0x40 && byte <= 0x7e) this.#escape = 'none'
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

const newline = 0x0a
const carriageReturn = 0x0d
const controlC = 0x03
const controlD = 0x04
const controlU = 0x15
const backspace = 0x08
const deletion = 0x7f
const escape = 0x1b
const bracket = 0x5b
const letterO = 0x4f

const ends: ReadonlyMap<number, LineEnd> = new Map([
  [newline, 'entered'],
  [carriageReturn, 'entered'],
  [controlC, 'interrupted'],
])
