// payment.*: money between accounts.

import type { Result } from '../../protocol/contract/index.ts'
import { limitTable, SealwireError } from '../../protocol/index.ts'
import { wireBalance, wireLine, wireRequest, wireTransfer } from '../money/wire.ts'
import type { Transfer } from '../../store/index.ts'
import { moneyOf } from '../money.ts'
import type { ReceiptOf } from '../money/receipts.ts'
import type { AccountCall, Call } from './call.ts'
import { fitting } from './fitting.ts'

export async function units({ account, server }: Call<'payment.units'>): Promise<Result<'payment.units'>> {
  const known = await moneyOf(server).payments.units()
  const rows = known.map(({ code, name, decimals, standard }) => ({ unit: code, name, decimals: Number(decimals), standard }))
  return { account: Number(account.id), units: rows }
}

export async function find({ account, params, server }: Call<'payment.find'>): Promise<Result<'payment.find'>> {
  const { id, name } = await server.people.find(account, server.accounts.keyOf(params.name))
  return { account: Number(id), name }
}

export async function balance({ account, params, server }: Call<'payment.balance'>): Promise<Result<'payment.balance'>> {
  const balances = await server.store.run('ledger.balance', { accountId: account.id, unit: params.unit })
  return { balances: balances.map(wireBalance) }
}

export async function order({ account, params, session, server }: Call<'payment.order'>): Promise<Result<'payment.order'>> {
  const { signal } = session.speaker
  const ordered = await moneyOf(server).payments.order(account, params, { signal })
  return wireTransfer(ordered.transfer, account.id, ordered.balance)
}

export async function bring({ params: { payer, ...brought }, ...call }: Call<'payment.bring'>): Promise<Result<'payment.bring'>> {
  const { account, server, session } = call
  const payerId = await server.names.idOf(account, payer)
  const { signal } = session.speaker
  const ordered = await moneyOf(server).payments.bring(account, payerId, brought, { signal })
  return wireTransfer(ordered.transfer, account.id, ordered.balance)
}

export async function transfer({ params, ...call }: Call<'payment.transfer'>): Promise<Result<'payment.transfer'>> {
  const { account, server } = call
  const signerId = await signerOf(call, params.payer)
  const found = await server.store.run('ledger.transfer', { accountId: account.id, signerId, id: params.id })
  if (found === undefined) throw new SealwireError('not_found', 'there is no such payment of this account')
  return wireTransfer(found.transfer, account.id, found.balance)
}

export async function request({ account, params, server }: Call<'payment.request'>): Promise<Result<'payment.request'>> {
  const { name, ...asked } = params
  const payer = await server.people.find(account, server.accounts.keyOf(name))
  return wireRequest(await moneyOf(server).payments.request(account, { ...asked, payer }))
}

export async function settle({ account, params, server }: Call<'payment.settle'>): Promise<Result<'payment.settle'>> {
  return wireRequest(await moneyOf(server).payments.settle(account, params.id))
}

export async function requests({ account, params, server }: Call<'payment.requests'>): Promise<Result<'payment.requests'>> {
  const { before, beforeId, open } = params
  if (beforeId !== undefined && before === undefined) throw new SealwireError('malformed', 'payment.requests takes beforeId with before')
  const place = { before: optional(before), beforeId }
  const page = await server.store.run('ledger.requests', { accountId: account.id, ...place, open, max: pageMax })
  const kept = page.requests.slice(
    0,
    fitting(page.requests, () => rowBytes),
  )
  return { requests: kept.map(wireRequest), more: page.more || kept.length < page.requests.length }
}

export async function holds({ account, params, server }: Call<'payment.holds'>): Promise<Result<'payment.holds'>> {
  const page = await server.store.run('ledger.holds', { accountId: account.id, before: optional(params.before), max: pageMax })
  const kept = page.holds.slice(
    0,
    fitting(page.holds, () => rowBytes),
  )
  const { contacts, blocks } = account.standing
  // It costs whoever puts it aside nothing: strangers show no words to each other so.
  const isSpoken = ({ signerId }: Transfer): boolean => signerId === account.id || (contacts.has(signerId) && !blocks.has(signerId))
  const told = kept.map((hold) => wireTransfer(isSpoken(hold) ? hold : { ...hold, memo: undefined }, account.id))
  return { holds: told, more: page.more || kept.length < page.holds.length }
}

export async function statement({ account, params, server }: Call<'payment.statement'>): Promise<Result<'payment.statement'>> {
  const { unit, before } = params
  const page = await server.store.run('ledger.statement', { accountId: account.id, unit, before: optional(before), max: pageMax })
  const kept = page.lines.slice(
    0,
    fitting(page.lines, ({ transfer: { parts } }) => rowBytes * (parts.length + 1)),
  )
  return { lines: kept.map((line) => wireLine(line, account.id)), more: page.more || kept.length < page.lines.length }
}

export async function receipt({ params, ...call }: Call<'payment.receipt'>): Promise<Result<'payment.receipt'>> {
  return { receipt: await moneyOf(call.server).receipts.receipt(call.account.id, await whichOf(call, params)) }
}

export async function checkpoint({ params, server }: Call<'payment.checkpoint'>): Promise<Result<'payment.checkpoint'>> {
  const newest = await moneyOf(server).checkpoints.newest()
  if (newest === undefined) throw new SealwireError('not_found', 'nothing was ever paid here')
  if (params.from === undefined) return { checkpoint: newest.cose }
  const proof = await server.store.run('ledger.consistency', { from: BigInt(params.from), to: newest.size })
  if (proof === undefined) throw new SealwireError('not_found', 'the ledger never was that long')
  return { checkpoint: newest.cose, proof: [...proof] }
}

async function whichOf(call: Caller, { id, payer, posting }: Call<'payment.receipt'>['params']): Promise<ReceiptOf> {
  if (posting !== undefined && id === undefined && payer === undefined) return { posting: BigInt(posting) }
  if (id !== undefined && posting === undefined) return { signerId: await signerOf(call, payer), id }
  throw new SealwireError('malformed', 'payment.receipt takes id, with payer or without, or posting')
}

/** Who signed it; the own name is as good as none. */
async function signerOf({ account, server }: Caller, name: string | undefined): Promise<bigint> {
  if (name === undefined || server.accounts.keyOf(name) === account.key) return account.id
  return server.names.idOf(account, name)
}

function optional(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value)
}

type Caller = Pick<AccountCall<'payment.transfer'>, 'account' | 'server'>

const pageMax = BigInt(limitTable.paymentsPageMax.value)
/** A line or a request with the longest names and memo, or one more part of a split; at most. */
const rowBytes = 1_600
