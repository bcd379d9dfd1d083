import { describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rewriteLog } from '../../../src/store/sqlite/log-file.ts'
import { StoreFolder } from '../../support/store-folder.ts'

describe('rewriteLog', () => {
  test('leaves every byte as it was, whatever the length', () => {
    for (const length of [0, 1, 65_535, 65_536, 200_001]) {
      using folder = new StoreFolder()
      const bytes = randomBytes(length)
      writeFileSync(`${folder.database}-wal`, bytes)
      rewriteLog(folder.database)
      expect(readFileSync(`${folder.database}-wal`).equals(bytes)).toBe(true)
    }
  })

  test('makes no log where there is none', () => {
    using folder = new StoreFolder()
    rewriteLog(folder.database)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('throws when the log cannot be written', () => {
    using folder = new StoreFolder()
    mkdirSync(`${folder.database}-wal`)
    expect(() => rewriteLog(folder.database)).toThrow()
  })
})
