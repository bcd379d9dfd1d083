import { describe, expect, test } from 'bun:test'
import { clientCertificateOptions, welcome, welcomeOrNot } from '../../../src/link/tls/client-certificate.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { makeCertificate } from '../../support/certificates.ts'

const { certificate } = await makeCertificate({ commonName: 'alice' })
const der = new Uint8Array(certificate.raw)
const anonymous = { authorized: false, getPeerX509Certificate: () => undefined }
const verified = { authorized: true, getPeerX509Certificate: () => certificate }
const doubtful = { authorized: false, getPeerX509Certificate: () => certificate }

describe('welcome', () => {
  test('takes the word of the TLS library for nothing but a certificate that it has verified', () => {
    expect([anonymous, verified, doubtful].map((socket) => welcome(socket, 'off'))).toEqual(Array(3).fill({ certificate: undefined }))
    expect([anonymous, verified, doubtful].map((socket) => welcome(socket, 'optional'))).toEqual([
      { certificate: undefined },
      { certificate: der },
      undefined,
    ])
    expect([anonymous, verified, doubtful].map((socket) => welcome(socket, 'required'))).toEqual([
      undefined,
      { certificate: der },
      undefined,
    ])
  })

  test('takes nobody for anonymous who has shown what cannot be read', () => {
    const unreadable = {
      authorized: true,
      getPeerX509Certificate: () => {
        throw new TypeError('unsupported key')
      },
    }
    expect([welcome(unreadable, 'optional'), welcome(unreadable, 'required')]).toEqual([undefined, undefined])
  })
})

describe('welcomeOrNot', () => {
  test('goes by the rule of a peer where there is one, and never by the word of the TLS library', () => {
    const seen: Uint8Array[] = []
    const takes = { verifyPeer: (shown: Uint8Array) => void seen.push(shown) }
    const refuses = {
      verifyPeer: () => {
        throw new SealwireError('untrusted', 'somebody else')
      },
    }
    const direct = { alpnProtocol: 'sealwire-direct/1' }
    expect([verified, doubtful].map((socket) => welcomeOrNot({ ...socket, ...direct }, takes))).toEqual([
      { certificate: der },
      { certificate: der },
    ])
    expect(seen).toEqual([der, der])
    const refused = welcomeOrNot({ ...verified, ...direct }, refuses)
    expect(refused).toMatchObject({ reason: 'client_certificate', cause: { code: 'untrusted', sentence: 'somebody else' } })
    expect(welcomeOrNot({ ...anonymous, ...direct }, takes)).toMatchObject({ cause: { sentence: 'the other side shows no certificate' } })
    for (const alpnProtocol of ['sealwire/1', '', false, null, undefined] as const) {
      const other = alpnProtocol === undefined ? verified : { ...verified, alpnProtocol }
      expect(welcomeOrNot(other, takes)).toEqual({ reason: 'protocol' })
    }
    expect(seen.length).toBe(2)
  })

  test('goes by the mode of a server otherwise', () => {
    expect(welcomeOrNot(verified, 'required')).toEqual({ certificate: der })
    expect(welcomeOrNot(doubtful, 'optional')).toEqual({ reason: 'client_certificate' })
  })
})

describe('clientCertificateOptions', () => {
  test('say everything where certificates are asked for, so that no default has a say', () => {
    const identity = { certificateChain: '', key: '', deviceAuthorities: 'PEM' }
    expect(clientCertificateOptions('optional', identity)).toEqual({
      secureOptions: 0x4000,
      ca: 'PEM',
      requestCert: true,
      rejectUnauthorized: false,
    })
    expect(clientCertificateOptions('required', identity)).toMatchObject({ rejectUnauthorized: true })
    expect(clientCertificateOptions({ verifyPeer: () => {} }, identity)).toEqual({
      secureOptions: 0x4000,
      requestCert: true,
      rejectUnauthorized: false,
    })
    expect(clientCertificateOptions('off', identity)).toEqual({ secureOptions: 0 })
  })
})
