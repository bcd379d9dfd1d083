// What an operator does to the certificate of a server, as the methods of the operator's socket have it; a command that finds
// no server running uses the same functions on the data folder.

import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import { hostsOf } from '../../pki/certificate-host.ts'
import { checkOwnCertificate } from '../../pki/own-certificate.ts'
import type { SealedPins } from '../../pki/index.ts'
import { rotateAuthority } from '../../pki/rotation.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { CertificateRoutes, OperatorResult } from '../../protocol/operator.ts'
import { silentLog } from '../../server/log.ts'
import { folderCertificate } from '../operator/data-folder.ts'
import { IdentityKeeper } from '../serve/identity-keeper.ts'
import { SealedKeeper } from '../serve/sealed-keeper.ts'

/** What looks after a server's certificate, and after its key in the sealed channel. */
export interface Keepers {
  readonly keeper: IdentityKeeper
  readonly sealed: SealedKeeper
}

/** The methods of a server that runs. */
export function certificateRoutes(keepers: Keepers, clock: Clock): CertificateRoutes {
  const routes = routesOf(keepers, clock)
  return {
    'certificate.show': (params) => told(routes['certificate.show'](params)),
    'certificate.renew': (params) => told(routes['certificate.renew'](params)),
    'certificate.rotate': (params) => told(routes['certificate.rotate'](params)),
    'certificate.rotateSealed': (params) => told(routes['certificate.rotateSealed'](params)),
    'certificate.import': (params) => told(routes['certificate.import'](params)),
    'certificate.remove': (params) => told(routes['certificate.remove'](params)),
  }
}

/** The codes of the operator's side never travel; their sentences are what he has to know. */
async function told(answer: Promise<CertificateState>): Promise<CertificateState> {
  try {
    return await answer
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    throw homely.has(code) ? new SealwireError('unavailable', sentence, { cause: reason }) : reason
  }
}

function routesOf(keepers: Keepers, clock: Clock): CertificateRoutes {
  const { keeper, sealed } = keepers
  const after = async (action: Promise<void>): Promise<CertificateState> => {
    await action
    return stateOf(keepers)
  }
  return {
    'certificate.show': async () => stateOf(keepers),
    'certificate.renew': () => after(keeper.renew()),
    'certificate.rotate': ({ from, overlapMs }) => after(rotate(keeper, clock, from, overlapMs)),
    'certificate.rotateSealed': async ({ from, overlapMs }) => {
      if (sealed.pins === undefined || sealed.pins.current === from) sealed.rotate(overlapMs)
      return stateOf(keepers)
    },
    'certificate.import': ({ certificate, key }) => after(importPair(keeper, clock, certificate, key)),
    'certificate.remove': () => after(keeper.change((folder) => folder.remove('imported.pem'))),
  }
}

/** The same for a data folder whose lock the caller holds, where no server runs: it is loaded when it is asked for. */
export function offlineCertificateRoutes(folder: string, clock: Clock, limits: Limits): CertificateRoutes {
  const certificate = folderCertificate(folder)
  // What a server is called is said when it is started; without it, its certificate keeps the names that it has.
  const hosts = certificate === undefined ? [] : hostsOf(certificate)
  const parts = { clock, log: silentLog, limits }
  const open = async (): Promise<CertificateRoutes> =>
    routesOf({ keeper: await IdentityKeeper.open({ folder, hosts }, parts), sealed: SealedKeeper.open(folder, false, parts) }, clock)
  return {
    'certificate.show': async (params) => (await open())['certificate.show'](params),
    'certificate.renew': async (params) => (await open())['certificate.renew'](params),
    'certificate.rotate': async (params) => (await open())['certificate.rotate'](params),
    'certificate.rotateSealed': async (params) => (await open())['certificate.rotateSealed'](params),
    'certificate.import': async (params) => (await open())['certificate.import'](params),
    'certificate.remove': async (params) => (await open())['certificate.remove'](params),
  }
}

type CertificateState = OperatorResult<'certificate.show'>

/** Whoever asks again, because the answer was lost, gets the rotation that he has asked for. */
async function rotate(keeper: IdentityKeeper, clock: Clock, from: string, overlapMs: number): Promise<void> {
  const { own } = keeper.current
  if (own.fingerprint !== from && own.overlap?.fingerprint === from) return
  if (own.fingerprint !== from) throw new SealwireError('not_found', 'the server has another authority by now')
  await keeper.change((folder) => rotateAuthority(folder, { overlapMs, now: clock.now() }))
}

async function importPair(keeper: IdentityKeeper, clock: Clock, certificate: string, key: string): Promise<void> {
  if (keeper.current.source === 'files') {
    throw new SealwireError('config_invalid', 'this server takes its certificate from files: it was started with --cert')
  }
  const names = { certificate: 'to import', key: 'to import' }
  const checked = checkOwnCertificate({ certificate, key, names }, clock.now())
  await keeper.change((folder) => folder.writeBundle('imported.pem', checked.key, checked.chain))
}

function stateOf({ keeper: { current, problem }, sealed: { pins } }: Keepers): CertificateState {
  const { source, certificate, fingerprint, own } = current
  return {
    source,
    names: hostsOf(certificate).slice(0, namesMax),
    issuer: certificate.issuer.replaceAll('\n', ', ').slice(0, 1024),
    key: kindOf(certificate.publicKey),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    ...(source === 'authority' ? { renewsAt: own.renewAt } : {}),
    fingerprint,
    authority: { fingerprint: own.fingerprint, notAfter: own.authorityNotAfter },
    ...(own.overlap === undefined ? {} : { overlap: { ...own.overlap } }),
    ...(pins === undefined ? {} : { sealed: sealedOf(pins) }),
    ...(problem === undefined ? {} : { problem: problem.sentence }),
  }
}

function sealedOf({ current, next }: SealedPins): NonNullable<CertificateState['sealed']> {
  return { fingerprint: current, ...(next === undefined ? {} : { next: { fingerprint: next.pin, until: next.until } }) }
}

function kindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === 'rsa') return `RSA ${asymmetricKeyDetails?.modulusLength}`
  return curveNames.get(asymmetricKeyDetails?.namedCurve ?? '') ?? asymmetricKeyType ?? 'unknown'
}

const curveNames: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
])
const namesMax = 100
const homely: ReadonlySet<string> = new Set([
  'config_invalid',
  'key_missing',
  'key_unsafe',
  'key_malformed',
  'certificate_invalid',
  'data_unusable',
])
