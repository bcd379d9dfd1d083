// A QR code in a terminal. A character is two modules, one above the other, because characters are about twice as high
// as they are wide. Light modules are drawn and dark ones left open: that is right on a dark terminal by itself, and on
// every other one where colours may be set (decision 0009).

import { renderUnicodeCompact } from 'uqr'

export interface QrCodeOptions {
  /** The width of the terminal in characters. */
  readonly columns: number
  /** Whether colours may be set; without them the code is right on dark terminals only. */
  readonly colours: boolean
}

/**
 * The lines of a QR code that says `text`, with the quiet zone around it; `undefined` when the terminal is too narrow.
 * @throws {RangeError} when `text` has more than 2,953 bytes, the most that any QR code holds.
 */
export function qrCode(text: string, { columns, colours }: QrCodeOptions): readonly string[] | undefined {
  const lines = renderUnicodeCompact(text, { border: quietModules, boostEcc: true }).split('\n')
  if (lines.some((line) => line.length > columns)) return undefined
  return colours ? lines.map((line) => `${whiteOnBlack}${line}${reset}`) : lines
}

/** ISO/IEC 18004 asks for four. */
const quietModules = 4
/** Of the palette of 256 colours, which no theme changes. */
const whiteOnBlack = '\u001b[38;5;231;48;5;16m'
const reset = '\u001b[0m'
