import { describe, expect, test } from 'bun:test'
import jsqr from 'jsqr'
import { qrCode } from '../../../src/cli/terminal/qr-code.ts'

const link = `sealwire://127.0.0.1:5555/#1.${'Ab-_9'.repeat(9).slice(0, 42)}A.AAECAwQFBgcICQoLDA0ODw`
const reset = '\u001b[0m'

describe('qrCode', () => {
  test.each([link, `sealwire://${'very-long-name.'.repeat(16)}example:65535/#1.`, 'a'])('draws what another decoder reads: %p', (text) => {
    const lines = qrCode(text, { columns: 200, colours: false }) ?? []
    expect(decoded(onDarkTerminal(lines))).toBe(text)
  })

  test('fits the link of a small server into a terminal of 80 columns and 24 lines', () => {
    const lines = qrCode(link, { columns: 80, colours: false }) ?? []
    expect([lines.length, new Set(lines.map((line) => line.length))]).toEqual([23, new Set([45])])
  })

  test('has four light modules on every side', () => {
    const modules = onDarkTerminal(qrCode(link, { columns: 80, colours: false }) ?? []).slice(0, 45)
    const isLight = (rows: readonly (readonly boolean[])[]): boolean => rows.flat().every(Boolean)
    for (const side of [
      modules.slice(0, 4),
      modules.slice(-4),
      modules.map((row) => row.slice(0, 4)),
      modules.map((row) => row.slice(-4)),
    ]) {
      expect(isLight(side)).toBe(true)
    }
    expect(modules.at(4)?.at(4)).toBe(false)
  })

  test('draws the same in white on black where colours may be set', () => {
    const plain = qrCode(link, { columns: 80, colours: false }) ?? []
    const coloured = qrCode(link, { columns: 80, colours: true }) ?? []
    expect(coloured).toEqual(plain.map((line) => `\u001b[38;5;231;48;5;16m${line}${reset}`))
  })

  test('draws nothing in a terminal that is too narrow, and just fits one that is not', () => {
    expect(qrCode(link, { columns: 44, colours: false })).toBeUndefined()
    expect(qrCode(link, { columns: 45, colours: false })).toHaveLength(23)
    expect(qrCode('', { columns: 0, colours: false })).toBeUndefined()
  })
})

/** What a dark terminal shows, module by module: true is light. */
function onDarkTerminal(lines: readonly string[]): readonly (readonly boolean[])[] {
  return lines.flatMap((line) => [
    Array.from(line, (character) => character === '█' || character === '▀'),
    Array.from(line, (character) => character === '█' || character === '▄'),
  ])
}

/** What jsQR sees in a picture of the modules, four pixels each, on a black ground. */
function decoded(modules: readonly (readonly boolean[])[]): string | undefined {
  const [scale, width, height] = [4, (modules[0]?.length ?? 0) * 4, modules.length * 4]
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let at = 0; at < width * height; at++) {
    const isLight = modules[Math.floor(at / width / scale)]?.[Math.floor((at % width) / scale)] ?? false
    pixels.set(isLight ? [255, 255, 255, 255] : [0, 0, 0, 255], at * 4)
  }
  return jsqr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data
}
