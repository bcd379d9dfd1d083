// The handshakes of the channel (Noise revision 34, §7.5) as data: what each side knows before, and what each message
// carries. `e`, `s`: a public key; `ee` … `ss`: a Diffie-Hellman between the initiator's and the responder's key.

export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss'

export interface Pattern {
  /** Whether the initiator knows the responder's static key before the first message. */
  readonly responderKnown: boolean
  /** Whether the initiator has a static key of its own. */
  readonly initiatorStatic: boolean
  /** The messages in turn, the initiator's first. */
  readonly messages: readonly (readonly Token[])[]
}

export const patterns = {
  XX: { responderKnown: false, initiatorStatic: true, messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  IK: {
    responderKnown: true,
    initiatorStatic: true,
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  NK: {
    responderKnown: true,
    initiatorStatic: false,
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
    ],
  },
} as const satisfies Record<string, Pattern>

/** A handshake that the channel knows. */
export type PatternName = keyof typeof patterns

/** Bytes of the first message, which has no payload: the ephemeral key, and in IK the static key and two tags, in NK one tag. */
export const firstMessageBytes: Readonly<Record<PatternName, number>> = { XX: 32, IK: 32 + 48 + 16, NK: 32 + 16 }
/** Bytes of the third message of XX, which has no payload: the static key and two tags. */
export const thirdMessageBytes = 48 + 16
