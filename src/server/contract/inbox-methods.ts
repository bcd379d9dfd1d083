// inbox.*: what a device has still to store.

import type { Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import type { Call } from './call.ts'

export async function open({ account, params, server }: Call<'inbox.open'>): Promise<Result<'inbox.open'>> {
  const device = requireDevice(account.device)
  const { after } = params
  // It hears from now on of what comes, so that nothing falls between the answer of the store and the first page.
  const inbox = account.openInbox(device)
  try {
    const input = { accountId: account.id, device, after: after === undefined ? undefined : BigInt(after), at: BigInt(server.clock.now()) }
    const { lastSeq, ackedSeq: before, lostSeq } = await server.store.run('inbox.open', input)
    const ackedSeq = input.after !== undefined && input.after > before ? input.after : before
    // Opening acknowledges a part of what is much.
    if (ackedSeq > before) await server.marks.acknowledge(account, device, ackedSeq).catch(unlessFull)
    inbox.begin(ackedSeq, lastSeq)
    return { lastSeq: Number(lastSeq), ackedSeq: Number(ackedSeq), ...(lostSeq === undefined ? {} : { lostSeq: Number(lostSeq) }) }
  } catch (reason) {
    account.closeInbox()
    throw reason
  }
}

/** What is stored can be read without room. What the device has is acknowledged by its next word of it. */
function unlessFull(reason: unknown): void {
  if (SealwireError.from(reason).code !== 'storage_full') throw reason
}

export async function ack({ account, params, server }: Call<'inbox.ack'>): Promise<Result<'inbox.ack'>> {
  const device = requireDevice(account.device)
  await server.marks.acknowledge(account, device, BigInt(params.seq))
  return {}
}

function requireDevice(device: string | undefined): string {
  if (device === undefined) throw new SealwireError('device_required', 'only a session of a device has an inbox')
  return device
}
