// file.*: files in a conversation, chunk by chunk.

import type { Result } from '../../protocol/contract/index.ts'
import type { Call } from './call.ts'

export async function begin({ account, params, server }: Call<'file.begin'>): Promise<Result<'file.begin'>> {
  const { conversation, size, ...others } = params
  const announced = { ...others, conversationId: BigInt(conversation), size: BigInt(size) }
  return { offset: await server.files.begin(account.id, announced, account.device) }
}

export async function put({ account, params, server }: Call<'file.put'>): Promise<Result<'file.put'>> {
  const offset = await server.files.put(account.id, params.id, params.offset, params.data)
  server.counts.fileBytesReceived += params.data.length
  return { offset }
}

export async function end({ account, params, server }: Call<'file.end'>): Promise<Result<'file.end'>> {
  await server.files.end(account.id, params.id)
  return {}
}

export async function abandon({ account, params, server }: Call<'file.abandon'>): Promise<Result<'file.abandon'>> {
  await server.files.abandon(account.id, params.id)
  return {}
}

export async function find({ account, params, server }: Call<'file.find'>): Promise<Result<'file.find'>> {
  const { id, name, size, sha256 } = await server.files.find(account.id, params.id)
  return { id, name, size: Number(size), sha256 }
}

export async function get({ account, params, server }: Call<'file.get'>): Promise<Result<'file.get'>> {
  const data = await server.files.read(account.id, params.id, params.offset, params.length)
  server.counts.fileBytesSent += data.length
  return { data }
}
