// The vectors of direct links, good and bad.

import type { CborValue, Params } from '../src/protocol/contract/index.ts'
import { type BadVector, event, misanswered, misfit, refused, request, result, run } from './contract-vector.ts'

type Fields = Readonly<Record<string, CborValue>>

const token = run(16)
const device = 'abcdefghijklmnopqrstuvwxyz'
const candidates: Params<'direct.offer'>['candidates'] = [
  { host: '2001:db8::1', port: 65_535 },
  { host: '192.168.1.20', port: 1 },
]
const places = [
  ...['127.0.0.1', '223.255.255.255', '::1', '::ffff:192.0.2.1', '0:0:0:0:0:ffff:c000:201', 'fe80::1', 'fdff::1'],
  '2001:0db8:0000:0000:0000:0000:192.0.2.1',
]
const offer = { to: 'bob', token, candidates } satisfies Fields
const offered = { from: 'alice', device, token, candidates } satisfies Fields
const known = { device, spki: run(32) } satisfies Fields

/** Requests, then results, then events. */
export const directVectors = [
  request('take offers', 1, 'direct.listen', { on: true }),
  request('take none any more', 2, 'direct.listen', { on: false }),
  request('offer a link', 3, 'direct.offer', offer),
  request('offer a link to one device, with no address yet', 3, 'direct.offer', { ...offer, device, candidates: [] }),
  request('every kind of address', 3, 'direct.offer', { ...offer, candidates: places.map((host) => ({ host, port: 443 })) }),
  request('the devices of somebody', 4, 'direct.devices', { name: 'bob' }),
  result('the address of the connection', 1, 'direct.listen', { address: '2001:db8::1' }),
  result('no address that is one for others', 1, 'direct.listen', {}),
  result('the authorities of devices', 1, 'direct.listen', { address: '2001:db8::1', authorities: [run(400, 0x30), run(4_096, 0x30)] }),
  result('no authorities', 1, 'direct.listen', { authorities: [] }),
  result('nobody was told', 3, 'direct.offer', { told: 0 }),
  result('two sessions were told', 3, 'direct.offer', { told: 2 }),
  result('no devices', 4, 'direct.devices', { devices: [] }),
  result('devices, one of them without a key of signatures', 4, 'direct.devices', { devices: [known, { ...known, ed25519: run(32, 7) }] }),
  event('an offer', 'direct.offered', offered),
  event('an offer of somebody who has no address', 'direct.offered', { ...offered, candidates: [] }),
  event('a device that is good no more', 'direct.revoked', { device }),
]

const without = (fields: Fields, key: string): CborValue => Object.fromEntries(Object.entries(fields).filter(([each]) => each !== key))
const at = (host: CborValue, port: CborValue = 443): Fields => ({ ...offer, candidates: [{ host, port }] })
/** Names, what is no address, those of more than one machine, those of none. */
const hosts = [
  ...['', 'localhost', 'chat.example', '1.2.3', '01.2.3.4', '256.1.1.1', '127.0.0.1 ', '[::1]', ':', ':::', '1::2::3', 'g::1', '::1%eth0'],
  ...['fe80::1%1', '1:2:3:4:5:6:7:8:9', '::ffff:1.2.3', '0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
  ...['255.255.255.255', '::', '0:0:0:0:0:0:0:0', 'ff02::1', 'FF00::', '::ffff:0.0.0.0', '::ffff:224.0.0.1', '::ffff:ffff:ffff'],
]
const whole: Readonly<Record<string, Fields>> = { 'direct.listen': { on: true }, 'direct.offer': offer, 'direct.devices': { name: 'bob' } }

/** In the same order. */
export const badDirectVectors: readonly BadVector[] = [
  ...Object.entries(whole).flatMap(([method, fields]) => [
    refused('a parameter that it does not have', method, { ...fields, more: 1 }),
    ...Object.keys(fields).map((key) => refused(`no ${key}`, method, without(fields, key))),
  ]),
  refused('on as a number', 'direct.listen', { on: 1 }),
  ...[0, 15, 17].map((length) => refused(`token of ${length} bytes`, 'direct.offer', { ...offer, token: run(length) })),
  refused('token as text', 'direct.offer', { ...offer, token: 'x'.repeat(16) }),
  refused('device of 33 characters', 'direct.offer', { ...offer, device: 'x'.repeat(33) }),
  refused('9 addresses', 'direct.offer', { ...offer, candidates: Array.from({ length: 9 }, () => ({ host: '127.0.0.1', port: 443 })) }),
  refused('a field of an address that it does not have', 'direct.offer', {
    ...offer,
    candidates: [{ host: '127.0.0.1', port: 443, name: 'x' }],
  }),
  refused('an address that is no map', 'direct.offer', { ...offer, candidates: ['127.0.0.1:443'] }),
  ...hosts.map((host) => refused(`host '${host}'`, 'direct.offer', at(host))),
  refused('host as bytes', 'direct.offer', at(run(4))),
  ...[0, -1, 65_536].map((port) => refused(`port ${port}`, 'direct.offer', at('127.0.0.1', port))),
  refused('port as text', 'direct.offer', at('127.0.0.1', '443')),
  misanswered('9 authorities', 'direct.listen', { authorities: Array.from({ length: 9 }, () => run(400, 0x30)) }),
  misanswered('4,097 bytes of an authority', 'direct.listen', { authorities: [run(4_097, 0x30)] }),
  misanswered('an authority as text', 'direct.listen', { authorities: ['-----BEGIN CERTIFICATE-----'] }),
  misanswered('-1 were told', 'direct.offer', { told: -1 }),
  misanswered('nothing about who was told', 'direct.offer', {}),
  ...Object.keys(known).map((key) => misanswered(`a device without ${key}`, 'direct.devices', { devices: [without(known, key)] })),
  misanswered('31 bytes of a hash', 'direct.devices', { devices: [{ ...known, spki: run(31) }] }),
  misanswered('33 bytes of a key', 'direct.devices', { devices: [{ ...known, ed25519: run(33) }] }),
  ...Object.keys(offered).map((key) => misfit(`an offer without ${key}`, 'event', ['direct.offered', without(offered, key)])),
  misfit('an offer with a name for a host', 'event', ['direct.offered', { ...offered, candidates: [{ host: 'localhost', port: 443 }] }]),
  misfit('an offer with 9 addresses', 'event', [
    'direct.offered',
    { ...offered, candidates: Array.from({ length: 9 }, () => candidates[0] ?? null) },
  ]),
  misfit('no device', 'event', ['direct.revoked', {}]),
]
