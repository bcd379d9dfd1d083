import { describe, expect, test } from 'bun:test'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { checkEd25519Key, rawPublicKey, verifyEd25519 } from '../../src/pki/ed25519.ts'
import { SealwireError } from '../../src/protocol/errors.ts'

const message = Buffer.from('pay mallory 1000')
const prime = 2n ** 255n - 19n
const d = divided(-121_665n, 121_666n)

/** Every point whose order divides 8, by its coordinate y, and those of the encodings that are not canonical (y + p). */
const smallOrderHex = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]

describe('checkEd25519Key', () => {
  test.each(smallOrderHex)('refuses the key %s of small order', (hex) => {
    expect(refusalOf(() => checkEd25519Key(bytes(hex)))).toBe('the Ed25519 key is of small order')
  })

  test('the list above is all of them: every y that any encoding of a point of small order can have is in it', () => {
    const found = [0n, 1n, prime - 1n, ...orderEight()].flatMap((y) => [y, y + prime]).filter((y) => y < 2n ** 255n)
    const encodings = found.flatMap((y) => [y, y + 2n ** 255n]).map(littleEndian)
    expect(encodings.sort()).toEqual([...smallOrderHex].sort())
  })

  test('a runtime alone takes a forged signature under such a key for a good one, which is why they are refused', () => {
    // R = the neutral point, S = 0: good for every message under the neutral point as key.
    const signature = Buffer.concat([bytes('01'.padEnd(64, '0')), Buffer.alloc(32)])
    const key = bytes('01'.padEnd(64, '0'))
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key])
    const accepted = verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)
    // Should a runtime refuse it by itself one day, nothing is lost.
    expect([true, false]).toContain(accepted)
    expect(refusalOf(() => verifyEd25519(key, message, signature))).toBe('the Ed25519 key is of small order')
  })

  test('refuses every encoding that is not the canonical one of its point', () => {
    for (let y = prime + 2n; y < 2n ** 255n; y++) {
      for (const encoded of [y, y + 2n ** 255n]) {
        expect(refusalOf(() => checkEd25519Key(bytes(littleEndian(encoded))))).toBe('the Ed25519 key is not in its canonical form')
      }
    }
  })

  test('refuses other lengths', () => {
    for (const length of [0, 31, 33, 64])
      expect(refusalOf(() => checkEd25519Key(new Uint8Array(length)))).toBe('an Ed25519 key has 32 bytes')
  })

  test('takes keys as they are made', () => {
    for (let times = 0; times < 20; times++) checkEd25519Key(rawPublicKey(generateKeyPairSync('ed25519').publicKey))
  })
})

describe('verifyEd25519', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = rawPublicKey(privateKey)
  const signature = new Uint8Array(sign(null, message, privateKey))

  test('takes what was signed, and nothing else', () => {
    expect(verifyEd25519(key, message, signature)).toBe(true)
    expect(verifyEd25519(key, Buffer.from('pay mallory 9999'), signature)).toBe(false)
    expect(verifyEd25519(rawPublicKey(generateKeyPairSync('ed25519').publicKey), message, signature)).toBe(false)
    for (const length of [0, 63, 65]) expect(verifyEd25519(key, message, new Uint8Array(length))).toBe(false)
  })
})

/** Of the four points of order eight: twice such a point has y = 0, so x² = −y² and −1·x² + y² = 1 + d x² y² give 2y² = 1 − d y⁴. */
function orderEight(): bigint[] {
  // d·z² + 2z − 1 = 0 with z = y².
  const root = squareRoot(mod(1n + d))
  return [root, -root].flatMap((sign_) => roots(divided(-1n + sign_, d)))
}

function roots(square: bigint): bigint[] {
  try {
    const root = squareRoot(square)
    return [root, prime - root]
  } catch {
    return []
  }
}

/** For a prime that leaves 5 when divided by 8. */
function squareRoot(square: bigint): bigint {
  const first = power(square, (prime + 3n) / 8n)
  for (const root of [first, mod(first * power(2n, (prime - 1n) / 4n))]) if (mod(root * root - square) === 0n) return root
  throw new TypeError('not a square')
}

function divided(a: bigint, b: bigint): bigint {
  return mod(a * power(mod(b), prime - 2n))
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let [square, rest] = [base, exponent]; rest > 0n; [square, rest] = [mod(square * square), rest >> 1n]) {
    if (rest & 1n) result = mod(result * square)
  }
  return result
}

function mod(value: bigint): bigint {
  return ((value % prime) + prime) % prime
}

function littleEndian(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex')
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

function refusalOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    return code === 'enrolment_invalid' ? sentence : code
  }
}
