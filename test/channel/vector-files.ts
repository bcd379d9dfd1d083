// The frozen vectors of the channel. They are read, not imported: the budgets would take them for sources.

import { readFileSync } from 'node:fs'
import type { BadV1Vector } from '../../tools/bad-channel-v1-vectors.ts'
import type { BadVector } from '../../tools/bad-channel-vectors.ts'
import type { VectorJson } from '../../tools/vector-json.ts'

export interface Good {
  readonly name: string
  readonly pattern: 'XX' | 'IK' | 'NK'
  readonly binding: string
  readonly clientStatic?: string
  readonly clientEphemeral: string
  readonly serverStatic: string
  readonly serverEphemeral: string
  readonly greeting: VectorJson
  readonly payload: string
  readonly hello: string
  readonly answer: string
  readonly third: string
  readonly hash: string
  readonly records: readonly {
    readonly from: 'client' | 'server'
    readonly type: 'data' | 'rekey' | 'close' | 'pad' | 'ping'
    readonly data: string
    readonly record: string
  }[]
}

export interface GoodV1 {
  readonly name: string
  readonly client: string
  readonly server: string
  readonly token: string
  readonly request: string
  readonly response: string
  readonly key: string
  readonly frames: readonly { readonly from: 'client' | 'server'; readonly plaintext: string; readonly frame: string }[]
}

export const v2 = read<Good, BadVector>('channel-v2.json')
export const v1 = read<GoodV1, BadV1Vector>('channel-v1.json')

function read<G, B>(name: string): { readonly good: readonly G[]; readonly bad: readonly B[] } {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'))
}
