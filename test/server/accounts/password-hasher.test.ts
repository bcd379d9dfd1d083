import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { PasswordHasher } from '../../../src/server/accounts/password-hasher.ts'
import { parsePhc } from '../../../src/server/accounts/phc.ts'
import { rejectionOf } from '../../support/refusal.ts'

// A hash takes far longer when other programs use the processors.
setDefaultTimeout(60_000)

/** The floor of what an operator may choose. */
const floor = { passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 }
const limits = resolveLimits(floor)
const password = 'correct horse bättery'

describe('PasswordHasher', () => {
  test('verifies a hash that another implementation made', async () => {
    // From the test vectors of the reference implementation of Argon2.
    const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    const hasher = new PasswordHasher(limits)
    expect(await hasher.verify('password', phc)).toBe(true)
    expect(await hasher.verify('Password', phc)).toBe(false)
  })

  // Made by the node:crypto of the runtimes, which made all hashes before decision 0026: on Bun and on Node the same.
  test.each([
    '$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$07OcGJdWOxDBgnh945hJ1iF+Ue6sgFnTuhAcpwdbGnk',
    '$argon2id$v=19$m=65536,t=3,p=1$8PHy8/T19vf4+fr7/P3+/w$0ByIANtG3imKYd8eqmq48tSvsmcyhi2zvRlaOQxW9WU',
  ])('verifies %s, made by the runtime', async (phc) => {
    const hasher = new PasswordHasher(limits)
    expect(await hasher.verify(password, phc)).toBe(true)
    expect(await hasher.verify(`${password} `, phc)).toBe(false)
  })

  test('makes PHC strings with the parameters in force and a fresh salt', async () => {
    const hasher = new PasswordHasher(limits)
    const [one, other] = await Promise.all([hasher.hash(password), hasher.hash(password)])
    expect(one).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
    expect(parsePhc(one)?.salt.length).toBe(16)
    expect(parsePhc(one)?.tag.length).toBe(32)
    expect(parsePhc(one)?.salt).not.toEqual(parsePhc(other)?.salt)
    expect(await Promise.all([hasher.verify(password, one), hasher.verify(`${password}.`, one)])).toEqual([true, false])
  })

  test('takes no password for an account that does not exist', async () => {
    expect(await new PasswordHasher(limits).verify(password, undefined)).toBe(false)
  })

  test('treats a malformed stored hash as a fault of the server', async () => {
    expect(await rejectionOf(new PasswordHasher(limits).verify(password, 'nonsense'))).toBe('internal')
  })

  test('asks for a new hash when one is weaker than the parameters in force, and for none when it is stronger', async () => {
    const phc = await new PasswordHasher(limits).hash(password)
    expect(new PasswordHasher(limits).needsRehash(phc)).toBe(false)
    expect(new PasswordHasher(resolveLimits({ ...floor, passwordHashMemoryKiB: 19_457 })).needsRehash(phc)).toBe(true)
    expect(new PasswordHasher(resolveLimits({ ...floor, passwordHashPasses: 3 })).needsRehash(phc)).toBe(true)
    expect(new PasswordHasher(limits).needsRehash(phc.replace('t=2', 't=3'))).toBe(false)
    expect(
      new PasswordHasher(limits).needsRehash('$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'),
    ).toBe(true)
  })

  test('lets two compute and as many wait as the limit says, then is busy', async () => {
    const hasher = new PasswordHasher(resolveLimits({ ...floor, passwordHashQueueMax: 3 }))
    const results = await Promise.allSettled(Array.from({ length: 9 }, () => hasher.hash(password)))
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, true, true, false, false, false, false])
    expect(await rejectionOf(hasher.hash(password))).toBeUndefined()
  })

  test('gives the place of one who hung up to another', async () => {
    const hasher = new PasswordHasher(resolveLimits({ ...floor, passwordHashConcurrencyMax: 1, passwordHashQueueMax: 1 }))
    const controller = new AbortController()
    const running = hasher.hash(password)
    const gone = hasher.verify(password, undefined, { signal: controller.signal })
    expect(await rejectionOf(hasher.hash(password))).toBe('busy')
    controller.abort()
    expect(await rejectionOf(gone)).toBe('connection_lost')
    expect(await rejectionOf(Promise.all([running, hasher.hash(password)]))).toBeUndefined()
  })
})
