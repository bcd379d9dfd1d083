import { expect, test } from 'bun:test'
import { commands } from '../../../src/cli/program.ts'
import { wrapHelp } from '../../../src/cli/terminal/wrap-help.ts'
import { runCli } from '../cli-process.ts'

test.each([
  ['prose, anew', 'one two three\nfour five\n\nsix\n', 9, 'one two\nthree\nfour five\n\nsix\n'],
  ['prose before a table', 'See:\n  a  x\n', 9, 'See:\n  a  x\n'],
  ['a word that is too long', 'abcdefghijkl mn', 5, 'abcdefghijkl\nmn'],
  ['nothing', '', 9, ''],
  ['lines that fit', '\nExamples:\n  x  y\n', 80, '\nExamples:\n  x  y\n'],
])('wraps %s', (_, text, columns, wrapped) => {
  expect(wrapHelp(text, columns)).toBe(wrapped)
})

test('goes on below the last column of a table', () => {
  const row = '  4  network: address in use, unreachable'
  expect(wrapHelp(row, 30)).toBe('  4  network: address in use,\n     unreachable')
  expect(wrapHelp(row, 20)).toBe(row)
})

test('leaves a command in one piece', () => {
  const command = '  backup - --passphrase-file passphrase | cat'
  expect(wrapHelp(command, 30)).toBe(command)
})

test.each(Object.keys(commands))('the help of %s fits 80 columns, but for examples', async (name) => {
  const { stdout } = await runCli([name, '--help'])
  const long = stdout.split('\n').filter((line) => line.length > 80)
  expect(long.filter((line) => !/^ {2}.*sealwire/.test(line))).toEqual([])
})
