// Every error that Sealwire raises on purpose has a code from this one table. A row answers what a reader of the code,
// a client and an operator ask: what number stands for it on the wire, does the connection end, may the same request
// be tried again later. docs/protocol/errors.md shows the same table; a test keeps the two equal.

/** `wire`: number on the wire; `fatal`: the connection ends after it; `retry`: the same request may succeed later. */
export interface CodeRow {
  readonly wire: number
  readonly fatal: boolean
  readonly retry: boolean
}

/** The table. Numbers of a kind stand together; a number that was once given away is never used for another code. */
export const codes = {
  // Protocol errors: the peer broke a rule, the connection ends (framing.md).
  bad_magic: { wire: 0x01, fatal: true, retry: false },
  bad_checksum: { wire: 0x02, fatal: true, retry: false },
  frame_too_large: { wire: 0x03, fatal: true, retry: false },
  frame_too_slow: { wire: 0x04, fatal: true, retry: true },
  dialect_unavailable: { wire: 0x05, fatal: true, retry: false },
  login_too_slow: { wire: 0x06, fatal: true, retry: true },
  slow_consumer: { wire: 0x07, fatal: true, retry: true },
  stopping: { wire: 0x08, fatal: true, retry: true },
  overrun: { wire: 0x09, fatal: true, retry: true },
  version_unsupported: { wire: 0x0a, fatal: true, retry: false },
  unexpected: { wire: 0x0b, fatal: true, retry: false },
  session_ended: { wire: 0x0c, fatal: true, retry: false },
  channel_broken: { wire: 0x0d, fatal: true, retry: true },
  // Refusals: what was asked for cannot be, the connection lives.
  unknown_command: { wire: 0x10, fatal: false, retry: false },
  malformed: { wire: 0x11, fatal: false, retry: false },
  not_logged_in: { wire: 0x12, fatal: false, retry: false },
  already_logged_in: { wire: 0x13, fatal: false, retry: false },
  name_invalid: { wire: 0x14, fatal: false, retry: false },
  name_taken: { wire: 0x15, fatal: false, retry: false },
  password_invalid: { wire: 0x16, fatal: false, retry: false },
  login_refused: { wire: 0x17, fatal: false, retry: true },
  registration_closed: { wire: 0x18, fatal: false, retry: false },
  busy: { wire: 0x19, fatal: false, retry: true },
  rate_limited: { wire: 0x1a, fatal: false, retry: true },
  not_found: { wire: 0x1b, fatal: false, retry: true },
  is_self: { wire: 0x1c, fatal: false, retry: false },
  declined: { wire: 0x1d, fatal: false, retry: true },
  not_in_chat: { wire: 0x1e, fatal: false, retry: false },
  peer_left: { wire: 0x1f, fatal: false, retry: false },
  peer_lost: { wire: 0x20, fatal: false, retry: true },
  message_too_large: { wire: 0x21, fatal: false, retry: false },
  invitation_invalid: { wire: 0x22, fatal: false, retry: false },
  invitation_used: { wire: 0x23, fatal: false, retry: false },
  invitation_expired: { wire: 0x24, fatal: false, retry: false },
  unknown_method: { wire: 0x28, fatal: false, retry: false },
  account_banned: { wire: 0x29, fatal: false, retry: false },
  type_unsupported: { wire: 0x2a, fatal: false, retry: false },
  no_request: { wire: 0x2b, fatal: false, retry: false },
  // What a client makes of the number of a later server's refusal; no server sends it.
  refused: { wire: 0x2c, fatal: false, retry: false },
  enrolment_invalid: { wire: 0x2d, fatal: false, retry: false },
  joining_only: { wire: 0x2e, fatal: false, retry: false },
  not_contact: { wire: 0x33, fatal: false, retry: false },
  not_permitted: { wire: 0x34, fatal: false, retry: false },
  conflict: { wire: 0x35, fatal: false, retry: false },
  quota_exceeded: { wire: 0x36, fatal: false, retry: true },
  room_full: { wire: 0x37, fatal: false, retry: true },
  device_required: { wire: 0x38, fatal: false, retry: false },
  file_invalid: { wire: 0x39, fatal: false, retry: false },
  gone: { wire: 0x3a, fatal: false, retry: false },
  // Of payments.
  signature_invalid: { wire: 0x25, fatal: false, retry: false },
  insufficient_funds: { wire: 0x3b, fatal: false, retry: true },
  limit_exceeded: { wire: 0x3c, fatal: false, retry: true },
  frozen: { wire: 0x3d, fatal: false, retry: true },
  amount_invalid: { wire: 0x3e, fatal: false, retry: false },
  expired: { wire: 0x27, fatal: false, retry: false },
  // The server's own state: the answer to a request that it could not carry out.
  unavailable: { wire: 0x30, fatal: false, retry: true },
  storage_full: { wire: 0x31, fatal: false, retry: true },
  unknown_outcome: { wire: 0x32, fatal: false, retry: true },
  ledger_broken: { wire: 0x26, fatal: false, retry: true },
  // Of the operator's side: they end a command, they never travel.
  usage: { wire: 0x40, fatal: true, retry: false },
  config_invalid: { wire: 0x41, fatal: true, retry: false },
  key_missing: { wire: 0x42, fatal: true, retry: false },
  key_unsafe: { wire: 0x43, fatal: true, retry: false },
  key_malformed: { wire: 0x44, fatal: true, retry: false },
  certificate_invalid: { wire: 0x45, fatal: true, retry: false },
  data_locked: { wire: 0x46, fatal: true, retry: true },
  data_unusable: { wire: 0x47, fatal: true, retry: false },
  address_unavailable: { wire: 0x48, fatal: true, retry: true },
  unreachable: { wire: 0x49, fatal: true, retry: true },
  untrusted: { wire: 0x4a, fatal: true, retry: false },
  connection_lost: { wire: 0x4b, fatal: true, retry: true },
  runtime_unsupported: { wire: 0x4c, fatal: true, retry: false },
  link_invalid: { wire: 0x4d, fatal: true, retry: false },
  receipt_invalid: { wire: 0x4e, fatal: true, retry: false },
  ledger_forked: { wire: 0x4f, fatal: true, retry: false },
  backup_invalid: { wire: 0x50, fatal: true, retry: false },
  // A bug of ours: the peer sees the word and nothing else, the log has the cause.
  internal: { wire: 0xff, fatal: true, retry: true },
} as const satisfies Record<string, CodeRow>

/** A code of the table. */
export type Code = keyof typeof codes

/** What an error may carry besides its code and its sentence. */
export interface SealwireErrorOptions {
  readonly cause?: unknown
  /** What the reader can do next: a sentence without a full stop, for people at a terminal. */
  readonly hint?: string
}

const brand = Symbol.for('sealwire.error')

/** The only error class. `message` is a lower-case sentence without a full stop that may be shown to the peer. */
export class SealwireError extends Error {
  readonly code: Code
  readonly hint: string | undefined
  readonly [brand] = true

  constructor(code: Code, message: string, options: SealwireErrorOptions = {}) {
    super(`[${code}] ${message}`, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'SealwireError'
    this.code = code
    this.hint = options.hint
  }

  /** The message without its code, for people. */
  get sentence(): string {
    return this.message.slice(this.code.length + 3)
  }

  get fatal(): boolean {
    return codes[this.code].fatal
  }

  /** Returns a SealwireError as it is and wraps everything else as `internal`, keeping it as the cause. */
  static from(reason: unknown): SealwireError {
    if (SealwireError.is(reason)) return reason
    return new SealwireError('internal', 'internal error', { cause: reason })
  }

  /** True also for an error made by another copy of this package. */
  static is(reason: unknown): reason is SealwireError {
    return typeof reason === 'object' && reason !== null && brand in reason
  }
}

/** Crashes the caller with `internal` when a condition that our own code guarantees does not hold. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new SealwireError('internal', 'internal error', { cause: what })
}
