// What listening for the sealed channel, and dialling it, is told.

import type { KeyPair, PatternName, StaticKeys } from '../../channel/index.ts'
import type { Link, LinkReceiver } from '../link.ts'

/** Where to listen, and as whom. */
export interface SealedListenOptions {
  /** Host name or address to listen on, IPv6 without brackets. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Asked at each handshake. */
  readonly keys: () => StaticKeys
  /** What the server says of itself in the handshake, 1 to 64 bytes. */
  readonly serverId: Uint8Array
  /** The handshakes that are taken. Default: XX, IK and NK. */
  readonly patterns?: readonly PatternName[]
  /**
   * Who is given connections of version 1, which nobody has authenticated: what a frame carried is received, what is sent is
   * a frame. Default: nobody, and a hello of version 1 is closed without a byte.
   */
  readonly openedV1?: (link: Link) => LinkReceiver
}

/** Which server to reach, and how long that may take. */
export interface SealedPlace {
  readonly host: string
  readonly port: number
  /** Whole dial, TCP and handshake, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Whom to dial. With `serverKey` the server must prove that key (NK, or IK when there is a `staticKey`). Without it the key that
 * the server shows is judged by `pin` before it learns anything of us (XX); who has no `staticKey` shows one made for this once.
 */
export interface SealedDialOptions extends SealedPlace {
  /** `SHA256:…` of the server's static key, or of its next one where it has announced that. */
  readonly pin: string
  /** 32 bytes. */
  readonly serverKey?: Uint8Array | undefined
  /** By which the server knows us. Default: none. */
  readonly staticKey?: KeyPair | undefined
}
