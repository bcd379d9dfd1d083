import { isatty } from 'node:tty'
import { wantsColours } from './colours.ts'
import { qrCode } from './qr-code.ts'

/** The lines of a QR code for standard output; none when that is no terminal, or one that is too narrow. */
export function terminalQr(text: string): readonly string[] {
  if (!isatty(standardOutput)) return []
  return qrCode(text, { columns: process.stdout.columns, colours: wantsColours(standardOutput, process.env) }) ?? []
}

const standardOutput = 1
