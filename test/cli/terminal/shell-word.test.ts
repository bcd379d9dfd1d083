import { expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { pathArgument, shellWord } from '../../../src/cli/terminal/shell-word.ts'
import { onUnix } from '../home-support.ts'

const words = ['bob', './a-b_c.d', '#12', 'two words', "bob's", '$HOME', '`x`', 'a\nb', '"', '\\', '*', 'grün', '']

test.skipIf(!onUnix)('a shell reads a word as it was', () => {
  const read = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' })
  expect(read.split('\0').slice(0, -1)).toEqual(words)
})

test('what needs no quotes has none', () => {
  expect(['bob', './a-b_c.d', 'x=1'].map(shellWord)).toEqual(['bob', './a-b_c.d', 'x=1'])
})

test('a path is no option', () => {
  expect(['-x', '--id', './-x', '/a', 'b-'].map(pathArgument)).toEqual(['./-x', './--id', './-x', '/a', 'b-'])
})
