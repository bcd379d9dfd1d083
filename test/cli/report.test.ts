import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { errorLine, exitCodeOf, exitCodes, exitCodesHelp } from '../../src/cli/report.ts'
import { codes, SealwireError } from '../../src/protocol/errors.ts'

describe('exitCodeOf', () => {
  test.each([
    ['usage', 2],
    ['config_invalid', 2],
    ['runtime_unsupported', 2],
    ['key_unsafe', 3],
    ['data_locked', 3],
    ['storage_full', 3],
    ['address_unavailable', 4],
    ['unreachable', 4],
    ['unknown_outcome', 4],
    ['untrusted', 5],
    ['certificate_invalid', 5],
    ['stopping', 4],
    ['link_invalid', 2],
    ['login_refused', 6],
    ['invitation_used', 6],
    ['session_ended', 6],
    ['declined', 6],
    ['message_too_large', 1],
    ['internal', 1],
  ] as const)('ends a command that failed with %s with %d', (code, exitCode) => {
    expect(exitCodeOf(new SealwireError(code, 'it failed'))).toBe(exitCode)
  })

  test('ends with 1 whatever else was thrown', () => {
    for (const reason of [new TypeError('odd'), 'odd', undefined, null]) expect(exitCodeOf(reason)).toBe(1)
  })

  test('has a place for every error that only operators see, and no code twice', () => {
    const placed = Object.values(exitCodes).flatMap((row) => [...row.codes])
    expect(new Set(placed).size).toBe(placed.length)
    const operators = Object.entries(codes)
      .filter(([, { wire }]) => wire >= 0x40 && wire < 0xff)
      .map(([code]) => code)
    expect(operators.filter((code) => !placed.some((other) => other === code))).toEqual([])
  })
})

describe('errorLine', () => {
  test('says the cause and what to do next', () => {
    expect(errorLine(new SealwireError('usage', 'unknown option --dta', { hint: 'did you mean --data?' }))).toBe(
      'unknown option --dta. did you mean --data?',
    )
    expect(errorLine(new SealwireError('usage', 'it is wrong', { hint: 'write it otherwise' }))).toBe('it is wrong. write it otherwise.')
    expect(errorLine(new SealwireError('unreachable', 'nobody is there'))).toBe('nobody is there.')
  })

  test('is one line, whatever the error holds', () => {
    const line = errorLine(new SealwireError('usage', 'a\nb\u001b[31m\u202e', { hint: 'c\rd' }))
    expect(line).toBe('a\\nb\\u001b[31m\\u202e. c\\rd.')
  })

  test('tells of a bug what is known, without its stack', () => {
    const line = errorLine(new TypeError('odd\nthing'))
    expect(line).toStartWith('internal error: TypeError: odd\\nthing. this is a bug: ')
    expect(line).not.toContain('    at ')
    expect(errorLine('text')).toStartWith('internal error: text. ')
    expect(errorLine(undefined)).toStartWith('internal error. ')
  })
})

describe('exitCodesHelp', () => {
  test('is the table of docs/cli.md', () => {
    const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| (\d) \| (.*) \|$/gm)].map(([, exitCode, what]) => [exitCode, what])
    expect(rows).toEqual(Object.entries(exitCodes).map(([exitCode, { what }]) => [exitCode, what]))
  })

  test('lists every exit code', () => {
    for (const [exitCode, { what }] of Object.entries(exitCodes)) expect(exitCodesHelp()).toContain(`  ${exitCode}  ${what}`)
  })
})
