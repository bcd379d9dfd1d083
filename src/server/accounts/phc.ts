// Password hashes as they are stored: `$argon2id$v=19$m=65536,t=3,p=1$salt$tag`, the PHC string format. One spelling only:
// Argon2id version 19, parameters in this order, no leading zeros, canonical base64 without padding.

import { limitTable } from '../../protocol/index.ts'

/** A password hash with all that is needed to make it again. */
export interface Phc {
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
  readonly salt: Uint8Array
  readonly tag: Uint8Array
}

/** Writes a hash as it is stored. */
export function encodePhc({ memoryKiB, passes, parallelism, salt, tag }: Phc): string {
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$${encode(salt)}$${encode(tag)}`
}

/** `undefined` when the text is not in this form or asks for more work than an operator may configure. */
export function parsePhc(text: string): Phc | undefined {
  const [, memory, passes, parallelism, salt = '', tag = ''] = pattern.exec(text) ?? []
  const phc = {
    memoryKiB: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
  if (phc.memoryKiB > limitTable.passwordHashMemoryKiB.max || phc.passes > limitTable.passwordHashPasses.max) return undefined
  // Argon2 needs 8 KiB a lane. Comparing with the encoder's own spelling refuses every other one.
  return phc.memoryKiB >= 8 * phc.parallelism && encodePhc(phc) === text ? phc : undefined
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** Salts of 8 to 64 bytes, tags of 16 to 64, up to 16 lanes. */
const pattern = /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]|1[0-6])\$([\w+/]{11,86})\$([\w+/]{22,86})$/
