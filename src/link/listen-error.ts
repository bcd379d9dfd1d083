// What the system says when it does not let us listen, in an operator's words. docs/tls-errors.md has the same table.

import { SealwireError } from '../protocol/index.ts'

/** The error for an address that cannot be listened on: `address_unavailable`. */
export function listenError({ host, port }: { readonly host: string; readonly port: number }, cause: unknown): SealwireError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const { why, hint } = listenErrors[code] ?? { why: '', hint: 'check the name or address' }
  return new SealwireError('address_unavailable', `cannot listen on ${host}:${port}${why}`, { cause, hint })
}

/** By the code of the system. A name that cannot be resolved has another one on each runtime, or none. */
export const listenErrors: Readonly<Record<string, { readonly why: string; readonly hint: string }>> = {
  EADDRINUSE: { why: ': the port is in use', hint: 'choose another address, or stop what uses it' },
  EADDRNOTAVAIL: { why: ': this is no address of this machine', hint: 'choose one that it has, such as 127.0.0.1' },
  EACCES: { why: ': this needs more rights', hint: 'choose a port from 1024 on' },
  EPERM: { why: ': this needs more rights', hint: 'choose a port from 1024 on' },
  EAFNOSUPPORT: { why: ': this machine has no addresses of this kind', hint: 'choose another, such as 127.0.0.1' },
  EMFILE: { why: ': this process has too many open files', hint: 'raise the limit (ulimit -n)' },
  ENFILE: { why: ': this machine has too many open files', hint: 'end other programs' },
}
