import { describe, expect, test } from 'bun:test'
import { explain, type LogRecord, logFormatter } from '../../../src/cli/log/format.ts'
import { logFormats } from '../../../src/cli/serve/options.ts'

const options = { valueCharactersMax: 100, colours: false }
// Built from local parts, so that the lines are the same in every time zone.
const time = new Date(2025, 6, 7, 14, 22, 33, 120).getTime()

describe('logFormatter', () => {
  test('writes the classic format as the classic server did', () => {
    const format = logFormatter('classic', options)
    expect(format(record({ event: 'client connected' }))).toBe('[2025-07-07 14:22:33] [INFO] Client connected\n')
    expect(format(record({ level: 'error', event: 'handshake failed: connection reset by peer' }))).toBe(
      '[2025-07-07 14:22:33] [ERR] Handshake failed: connection reset by peer\n',
    )
    expect(format(record({ level: 'warning', event: 'x' }))).toContain('[WARNING] X')
    expect(format(record({ level: 'debug', event: 'x' }))).toContain('[DEBUG] X')
  })

  test('writes pretty lines in local time, without colours where there is no terminal', () => {
    const line = logFormatter('pretty', options)(record({ event: 'client connected', fields: { connection: 7, tls: 'TLSv1.3' } }))
    expect(line).toBe('2025-07-07 14:22:33.120 info     client connected  connection=7 tls=TLSv1.3\n')
  })

  test('colours the level of a pretty line by how bad it is, and nothing else of the text', () => {
    const format = logFormatter('pretty', { ...options, colours: true })
    expect(format(record({ level: 'error', event: 'it broke' }))).toContain('\u001b[31merror   \u001b[39m it broke\n')
    expect(format(record({ level: 'warning', event: 'it may break' }))).toContain('\u001b[33mwarning \u001b[39m it may break\n')
  })

  test('writes JSON lines in universal time', () => {
    const line = logFormatter('json', options)(record({ event: 'client connected', fields: { connection: 7, open: true, name: 'a "b"' } }))
    expect(JSON.parse(line)).toEqual({
      time: new Date(time).toISOString(),
      level: 'info',
      event: 'client connected',
      connection: 7,
      open: true,
      name: 'a "b"',
    })
  })

  test('keeps numbers that JSON does not have, and leaves out what is undefined', () => {
    const fields = { money: 2n ** 62n, ratio: Number.POSITIVE_INFINITY, missing: undefined }
    expect(JSON.parse(logFormatter('json', options)(record({ fields })))).toMatchObject({ money: '4611686018427387904', ratio: 'Infinity' })
    for (const format of logFormats) expect(logFormatter(format, options)(record({ fields }))).not.toContain('missing')
  })

  test('quotes a value that could pass for something else', () => {
    const fields = { plain: 'Zoë-1', empty: '', spaced: 'a b', forged: 'x level=error', quoted: '"x"' }
    const line = logFormatter('classic', options)(record({ fields }))
    expect(line).toEndWith('plain=Zoë-1 empty="" spaced="a b" forged="x level=error" quoted="\\"x\\""\n')
  })

  test.each([...logFormats])('makes one line without a control character of whatever it is given (%s)', (format) => {
    const hostile = 'a\n[2025-07-07 14:22:34] [INFO] forged\r\u001b[2J\u0007\u007f\u009b31m\u202e\u2066\u2028\u2029\ud800'
    const line = logFormatter(format, { ...options, valueCharactersMax: 10_000 })(record({ event: hostile, fields: { name: hostile } }))
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
    expect(line.endsWith('\n')).toBe(true)
  })

  test('gives JSON back exactly what it was given', () => {
    const name = '\u001b[2J \u009b \u202e \u2028 \n "'
    expect(JSON.parse(logFormatter('json', options)(record({ fields: { name } })))).toMatchObject({ name })
  })

  test('cuts long values', () => {
    const fields = { name: 'x'.repeat(101), fits: 'y'.repeat(100) }
    for (const format of logFormats) {
      const line = logFormatter(format, options)(record({ fields }))
      expect(line).toContain(`${'x'.repeat(100)}…`)
      expect(line).not.toContain('x'.repeat(101))
      expect(line).toContain('y'.repeat(100))
      expect(line).not.toContain('y…')
    }
  })

  test('shows the stack of an error, in one line but for pretty, where it cannot pass for a line of its own', () => {
    const cause = new TypeError('first\n2025-07-07 14:22:33.120 info     forged')
    const wide = { ...options, valueCharactersMax: 10_000 }
    expect(JSON.parse(logFormatter('json', wide)(record({ cause })))).toMatchObject({ error: explain(cause) })
    const classic = logFormatter('classic', wide)(record({ cause }))
    expect(classic).toContain('error="TypeError: first\\n2025')
    expect(classic.trimEnd().split('\n')).toHaveLength(1)
    const pretty = logFormatter('pretty', wide)(record({ cause })).trimEnd().split('\n')
    expect(pretty[1]).toBe('    TypeError: first')
    expect(pretty.slice(1).every((line) => line.startsWith('    '))).toBe(true)
  })
})

describe('explain', () => {
  test('follows the causes, and ends where they form a ring', () => {
    const inner = new Error('inner')
    const outer = new Error('outer', { cause: inner })
    expect(explain(outer)).toMatch(/^Error: outer[^]*\ncaused by: Error: inner/)
    inner.cause = outer
    expect(explain(outer).match(/caused by/g)).toHaveLength(4)
  })

  test('shows what is no error as it is', () => {
    expect(explain('text')).toBe('text')
    expect(explain({ deep: { secret: 1 } })).toBe('{ deep: [Object] }')
    expect(explain(null)).toBe('null')
    expect(explain(undefined)).toBe('')
  })
})

function record(parts: Partial<LogRecord>): LogRecord {
  return { time, level: 'info', event: 'something happened', fields: {}, cause: undefined, ...parts }
}
