import { escapeControls } from '../terminal/escape.ts'

/**
 * What a peer sent, as text that is safe to print on one line of at most `bytesMax` bytes: its last newline is left
 * out, controls are escaped, bytes that are not UTF-8 are shown as U+FFFD, and `…` stands for what does not fit.
 */
export function payloadText(bytes: Uint8Array, bytesMax: number): string {
  const length = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length
  const cut = length > bytesMax
  // No more is decoded than can be shown; a character that this cuts in two is left to the ellipsis.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, cut ? bytesMax : length), { stream: cut })
  const shown = escapeControls(text)
  return cut || Buffer.byteLength(shown) > bytesMax ? cutText(text, bytesMax) : shown
}

function cutText(text: string, bytesMax: number): string {
  let shown = ''
  let room = bytesMax - Buffer.byteLength(ellipsis)
  for (const character of text) {
    const escaped = escapeControls(character)
    room -= Buffer.byteLength(escaped)
    if (room < 0) break
    shown += escaped
  }
  return shown + ellipsis
}

const newline = 0x0a
const ellipsis = '…'
