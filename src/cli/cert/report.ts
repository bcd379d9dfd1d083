// What `cert` prints: the certificate that a server shows, for people and for programs.

import type { OperatorResult } from '../../protocol/operator.ts'
import { escapeControls } from '../terminal/escape.ts'

type CertificateState = OperatorResult<'certificate.show'>

/** Lines for people; `now` in milliseconds since 1970. */
export function certificateText(state: CertificateState, now: number): string {
  const { names, key, issuer, notBefore, notAfter, renewsAt, fingerprint, authority, overlap, sealed, problem } = state
  const isOwn = authority.fingerprint === fingerprint
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['names', names.join(', ')],
    ['from', `${origins[state.source]} (${issuer})`],
    ['key', key],
    ['valid', `${day(notBefore)} to ${day(notAfter)}, ${left(notAfter, now)}`],
    ['renewed', renewsAt === undefined ? 'by you; the server reads it again when it changes' : `by itself, on ${day(renewsAt)}`],
    ['fingerprint', fingerprint],
    ['authority', authorityText(state, now)],
    [
      'overlap',
      overlap &&
        `until ${time(overlap.until)}: clients that know ${overlap.fingerprint} follow when they connect${isOwn ? '' : ', but not while this certificate is in use'}`,
    ],
    ['', overlap && isOwn ? 'restart the server once before then, for those who stay connected all the time' : undefined],
    ['sealed', sealed?.fingerprint],
    ['', sealed?.next && `from ${time(sealed.next.until)} on ${sealed.next.fingerprint}; clients that connect before follow`],
    ['problem', problem && `a newer one is not in use: ${problem}`],
  ]
  const shown = rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)} ${escapeControls(value)}\n`]))
  return shown.join('') + (isOwn ? '' : foreignNote)
}

/** The same as an object; times are in universal time. */
export function certificateJson({ notBefore, notAfter, renewsAt, authority, overlap, sealed, ...rest }: CertificateState): object {
  return {
    ...rest,
    notBefore: iso(notBefore),
    notAfter: iso(notAfter),
    ...(renewsAt === undefined ? {} : { renewsAt: iso(renewsAt) }),
    authority: { ...authority, notAfter: iso(authority.notAfter) },
    ...(overlap === undefined ? {} : { overlap: { ...overlap, until: iso(overlap.until) } }),
    ...(sealed === undefined
      ? {}
      : { sealed: { ...sealed, ...(sealed.next && { next: { ...sealed.next, until: iso(sealed.next.until) } }) } }),
  }
}

function authorityText({ authority, fingerprint }: CertificateState, now: number): string {
  const other = authority.fingerprint === fingerprint ? '' : `${authority.fingerprint}, `
  return `${other}until ${day(authority.notAfter)}, ${left(authority.notAfter, now)}`
}

function left(until: number, now: number): string {
  const days = Math.floor((until - now) / dayMs)
  if (until <= now) return 'expired'
  return days === 1 ? '1 day left' : `${days} days left`
}

function day(at: number): string {
  return iso(at).slice(0, 10)
}

function time(at: number): string {
  return iso(at).slice(0, 16).replace('T', ' ')
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

const origins: Readonly<Record<CertificateState['source'], string>> = {
  authority: "the server's own authority",
  imported: 'imported',
  files: 'the files of --cert and --key',
}
const foreignNote = 'Clients know the server by the root of that certificate; its own authority is for devices only.\n'
const dayMs = 24 * 60 * 60 * 1000
