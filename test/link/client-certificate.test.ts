import { describe, expect, test } from 'bun:test'
import { clientCertificateOptions, welcome } from '../../src/link/client-certificate.ts'
import { makeCertificate } from '../support/certificates.ts'

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
    expect(clientCertificateOptions('off', identity)).toEqual({ secureOptions: 0 })
  })
})
