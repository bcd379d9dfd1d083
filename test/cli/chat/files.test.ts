import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { basename, dirname, resolve } from 'node:path'
import { safeName } from '../../../src/cli/chat/files.ts'

const id = Uint8Array.from({ length: 16 }, (_, at) => at)
const folder = '/srv/ann/received'

/** A visible file right in the folder, whose name a terminal can show. */
function isTame(name: string): boolean {
  const path = resolve(folder, name)
  return dirname(path) === folder && basename(path) === name && !name.startsWith('.') && !/[\p{Cc}\p{Cf}]/u.test(name)
}

describe('the name under which a file is saved', () => {
  test.each([
    ...['../../.ssh/authorized_keys', '/etc/cron.d/job', '..', '.', '', '...', '/', 'x/', 'a/../../b', '.bashrc', './.profile'],
    ...['..\\..\\x', 'C:\\x', '~/x', '~root', 'a\0b', 'a\nb', '\u202egpj.exe', '\u001b[2J', '%2e%2e%2f', '..\u2215..\u2215x'],
  ])('leads nowhere, whoever chose it: %j', (name) => {
    expect([safeName(name, id), isTame(safeName(name, id))]).toEqual([expect.any(String), true])
  })

  test('leads nowhere, whatever it is', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('.', '/', '\\', '~', 'a', ' ', '\0')).map((all) => all.join('')),
    )
    fc.assert(fc.property(anything, (name) => isTame(safeName(name, id))))
  })

  test('is that of the sender where it is an ordinary one', () => {
    for (const name of ['Report 2.pdf', 'žluťoučký-kůň_01.tar.gz', '写真.jpg']) expect(safeName(name, id)).toBe(name)
  })
})
