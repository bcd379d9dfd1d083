import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../../src/cli/serve/config-file.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { limitTable } from '../../../src/protocol/limits.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-config-file-'))
const path = join(folder, 'server.toml')
afterAll(() => rmSync(folder, { recursive: true }))

describe('readConfigFile', () => {
  test('reads every key', () => {
    const layer = read(`
      listen = ["127.0.0.1:5555", "[::1]:5555"]
      data = "data"
      host = ["chat.example"]
      cert = "chain.pem"
      key = "key.pem"
      registration = "open"
      classic = false
      echo = "127.0.0.1:12345"
      log-level = "debug"
      log-format = "classic"
      [limits]
      frameMsMax = 10_000
      loginMsMax = 2000
    `)
    expect(layer.texts('listen')).toEqual(['127.0.0.1:5555', '[::1]:5555'])
    expect(layer.texts('data')).toEqual(['data'])
    expect(layer.texts('host')).toEqual(['chat.example'])
    expect(layer.texts('cert')).toEqual(['chain.pem'])
    expect(layer.texts('key')).toEqual(['key.pem'])
    expect(layer.texts('registration')).toEqual(['open'])
    expect(layer.texts('classic')).toEqual(['false'])
    expect(layer.texts('echo')).toEqual(['127.0.0.1:12345'])
    expect(layer.texts('log-level')).toEqual(['debug'])
    expect(layer.texts('log-format')).toEqual(['classic'])
    expect(layer.texts('limits')).toEqual(['frameMsMax=10000', 'loginMsMax=2000'])
  })

  test('says nothing of keys that are not there', () => {
    expect(read('').texts('listen')).toBeUndefined()
  })

  test('names the line of every value', () => {
    const layer = read('\nclassic = true\n\n[ limits ]\n# frameMsMax = 1\nframeMsMax = 2000\n"loginMsMax" = 2000\n')
    expect(layer.origin('classic', 0)).toEqual({ label: `${path}:2: classic`, code: 'config_invalid' })
    expect(layer.origin('limits', 0).label).toBe(`${path}:6: limits`)
    expect(layer.origin('limits', 1).label).toBe(`${path}:7: limits`)
  })

  test('names the line of a dotted limit, and that of an inline table', () => {
    expect(read('classic = true\nlimits.frameMsMax = 2000').origin('limits', 0).label).toBe(`${path}:2: limits`)
    expect(read('classic = true\nlimits = { frameMsMax = 2000 }').origin('limits', 0).label).toBe(`${path}:2: limits`)
  })

  test.each([
    ['an unknown key', 'classic = true\nlisen = []', ':2: there is no key "lisen"', 'did you mean listen?'],
    ['a key in camel case', 'logLevel = "info"', ':1: there is no key "logLevel"', 'did you mean log-level?'],
    ['the prototype as a key', '__proto__ = 1', ':1: there is no key "__proto__"', 'the keys are listen, data, '],
    ['the prototype as a table', '[__proto__]\nclassic = true', ':1: there is no key "__proto__"', 'the keys are listen, data, '],
    ['a key that every object has', 'constructor = 1', ':1: there is no key "constructor"', 'the keys are listen, data, '],
    ['an unknown limit', '[limits]\nframeMsMx = 1', ':2: there is no key "frameMsMx"', 'did you mean frameMsMax?'],
    ['the prototype as a limit', '[limits]\n__proto__ = 1', ':2: there is no key "__proto__"', 'docs/LIMITS.md lists the limits'],
    ['a text for a list', 'listen = "127.0.0.1:5555"', ':1: listen has a value of the wrong type', 'write listen = ["127.0.0.1:5555"]'],
    ['a number in a list of texts', 'host = ["a", 1]', ':1: host has a value of the wrong type', 'write host = ["chat.example"]'],
    ['a text for a switch', 'classic = "yes"', ':1: classic has a value of the wrong type', 'write classic = true'],
    ['a date for a text', 'data = 2025-07-07', ':1: data has a value of the wrong type', 'write data = "sealwire-data"'],
    ['a list for the table of limits', 'limits = [1]', ':1: limits has a value of the wrong type', 'frameMsMax = 10000 under [limits]'],
    ['a text for a limit', '[limits]\nframeMsMax = "1"', ':2: limits has a value of the wrong type', 'frameMsMax = 10000 under [limits]'],
    ['what is not TOML', 'classic = true\nlisten', ':2:', 'correct the file: it must be TOML'],
    ['a key twice', 'classic = true\nclassic = true', ':2:1: trying to redefine', 'correct the file: it must be TOML'],
    [
      'a number too large to be exact',
      '[limits]\nframeMsMax = 99999999999999999999',
      ':2:14: integer value',
      'correct the file: it must be TOML',
    ],
  ])('refuses %s', (_, text, sentence, hint) => {
    const error = refusal(() => read(text))
    expect(error.code).toBe('config_invalid')
    expect(error.sentence).toStartWith(path + sentence)
    expect(error.hint).toContain(hint)
  })

  test('refuses a file that is not there, a folder, bytes that are no text, and more bytes than a configuration has', () => {
    const sentenceOf = (name: string) => refusal(() => readConfigFile(name)).sentence
    expect(sentenceOf(join(folder, 'missing'))).toBe(`the configuration file "${join(folder, 'missing')}" does not exist`)
    expect(sentenceOf(folder)).toBe(`the configuration file "${folder}" is a folder`)
    writeFileSync(path, Buffer.from([0x61, 0xff]))
    expect(sentenceOf(path)).toBe(`the configuration file "${path}" is not UTF-8 text`)
    writeFileSync(path, '#'.repeat(limitTable.configFileBytesMax.value + 1))
    expect(sentenceOf(path)).toBe(`the configuration file "${path}" is larger than 1048576 bytes`)
    expect(sentenceOf('/dev/zero')).toContain('is larger than')
  })

  test('reads a file of exactly the largest size', () => {
    expect(read('classic = true\n#'.padEnd(limitTable.configFileBytesMax.value, '#')).texts('classic')).toEqual(['true'])
  })
})

function read(text: string) {
  writeFileSync(path, text)
  return readConfigFile(path)
}

function refusal(action: () => unknown): SealwireError {
  try {
    action()
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new Error('nothing was refused')
}
