// Runs on Node too (on-node.test.ts), against another implementation in the runtime: rust-argon2 in Bun, OpenSSL in Node.

import { describe, expect, test } from 'bun:test'
import { argon2Sync, type Argon2Parameters } from 'node:crypto'
import { hashRaw } from '@node-rs/argon2'
import fc from 'fast-check'
import { type Argon2idInput, loadArgon2id } from '../../../src/server/accounts/argon2id.ts'

const argon2id = loadArgon2id()

describe('the runtime', () => {
  test('computes Argon2id as RFC 9106, section 5.3, says: it may judge the library, which takes no associated data', () => {
    const parameters = { parallelism: 4, tagLength: 32, memory: 32, passes: 3 }
    const inputs = {
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
    }
    expect(argon2Sync('argon2id', { ...parameters, ...inputs }).toString('hex')).toBe(
      '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659',
    )
  })
})

describe('the library', () => {
  test('computes the inputs of RFC 9106, section 5.3, without associated data as the runtime does', async () => {
    const [message, salt, secret] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2), Buffer.alloc(8, 3)]
    const tag = await hashRaw(message, {
      algorithm: 2,
      version: 1,
      memoryCost: 32,
      timeCost: 3,
      parallelism: 4,
      outputLen: 32,
      salt,
      secret,
    })
    const parameters = { parallelism: 4, tagLength: 32, memory: 32, passes: 3 }
    expect(tag.toString('hex')).toBe(argon2Sync('argon2id', { ...parameters, message, nonce: salt, secret }).toString('hex'))
  })
})

describe('argon2id', () => {
  // The rows for version 0x13 in the test program of the reference implementation of Argon2.
  test.each([
    ['password', 'somesalt', 2, 65_536, 1, '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'],
    ['password', 'somesalt', 2, 256, 1, '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'],
    ['password', 'somesalt', 2, 256, 2, '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037'],
    ['password', 'somesalt', 1, 65_536, 1, 'f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98'],
    ['password', 'somesalt', 4, 65_536, 1, '9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c'],
    ['differentpassword', 'somesalt', 2, 65_536, 1, '0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde'],
    ['password', 'diffsalt', 2, 65_536, 1, 'bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c'],
  ] as const)('of %s and %s in %d passes over %d KiB, %d lanes, is %s', async (password, salt, passes, memoryKiB, parallelism, tag) => {
    const input = { memoryKiB, passes, parallelism, salt: Buffer.from(salt), tagLength: 32 }
    expect((await argon2id(password, input)).toString('hex')).toBe(tag)
  })

  test('is what the runtime computes, for any password and parameters that a stored hash may have', async () => {
    const input = fc.record({
      memoryKiB: fc.integer({ min: 128, max: 2048 }),
      passes: fc.integer({ min: 1, max: 4 }),
      parallelism: fc.integer({ min: 1, max: 16 }),
      salt: fc.uint8Array({ minLength: 8, maxLength: 64 }),
      tagLength: fc.integer({ min: 16, max: 64 }),
    })
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), input, isAsTheRuntimeSays), { numRuns: 25 })
  })

  test.each([
    ['an empty password', ''],
    ['a password of 1,024 bytes', 'p'.repeat(1024)],
    ['letters of many scripts', 'пароль 密码 كلمة السر contraseña 🔑 ß e\u0301'],
    ['half of a surrogate pair, as U+FFFD', 'a\ud83db'],
    ['zeros', 'a\0b\0'],
  ])('takes %s', async (_, password) => {
    await isAsTheRuntimeSays(password, { memoryKiB: 19_456, passes: 2, parallelism: 1, salt: Buffer.alloc(16, 7), tagLength: 32 })
  })

  test('is rejected, and others go on, when the library refuses', async () => {
    const input = { memoryKiB: 19_456, passes: 0, parallelism: 1, salt: Buffer.alloc(16, 7), tagLength: 32 }
    await expect(argon2id('password', input)).rejects.toThrow()
    await isAsTheRuntimeSays('password', { ...input, passes: 1 })
  })
})

async function isAsTheRuntimeSays(password: string, input: Argon2idInput): Promise<void> {
  const { memoryKiB: memory, passes, parallelism, salt: nonce, tagLength } = input
  const parameters: Argon2Parameters = { message: Buffer.from(password, 'utf8'), nonce, memory, passes, parallelism, tagLength }
  expect((await argon2id(password, input)).toString('hex')).toBe(argon2Sync('argon2id', parameters).toString('hex'))
}
