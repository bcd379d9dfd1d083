// News about direct links in a chat: as lines for people, as objects for programs.

import type { DirectDelivery, HeldOrder, Placed } from '../../client/direct/direct.ts'
import type { NotedWay } from '../../client/home/direct-ways.ts'
import type { UplinkState } from '../../client/index.ts'
import { momentText } from '../../pki/index.ts'
import { isSettled, waySentence, wayWords } from './direct-words.ts'
import { escapeControls } from '../terminal/escape.ts'
import { sumWords } from '../money/words.ts'

/** Money that somebody has handed over. */
export interface HeldMoney extends HeldOrder {
  /** Decimal text, where it is known how many places the unit has. */
  readonly amount: string | undefined
}

/** What each kind of news about direct links tells. */
export interface DirectNewsData {
  /** How one talks with somebody from now on. */
  readonly way: NotedWay
  /** A device of theirs has a message of ours; `isWaiting` says that it is not on the server yet. */
  readonly delivered: DirectDelivery & { readonly isWaiting: boolean }
  /** What came directly has its place in the conversation now. */
  readonly placed: Placed
  readonly held: { readonly order: HeldMoney }
  readonly status: { readonly name: string; readonly state: UplinkState; readonly ways: readonly NotedWay[] | undefined }
}

type DirectEvent = keyof DirectNewsData
/** News about direct links. */
export type DirectNews = { readonly [E in DirectEvent]: { readonly event: E } & DirectNewsData[E] }[DirectEvent]

/** The lines for people. */
export function directText<E extends DirectEvent>(
  news: { readonly [K in E]: { readonly event: K } & DirectNewsData[K] }[E],
): readonly string[] {
  return texts[news.event](news)
}

/** The object for programs. */
export function directJson(news: DirectNews): object {
  const { event } = news
  if (event === 'delivered') return { event, name: news.name, id: news.id, device: news.device }
  if (event === 'placed') return { event, id: news.id, conversation: news.conversation, seq: news.seq }
  if (event === 'status') return { event, name: news.name, state: news.state, direct: directObject(news.ways) }
  if (event !== 'held') return news
  const { from, id, amount, minor, unit, state, expiresAt, reason } = news.order
  return { event, from, id, amount, minor: String(minor), unit, state, expiresAt: momentText(expiresAt), reason }
}

/** Whether there are direct links here, and with whom one talks how. */
export function directObject(ways: readonly NotedWay[] | undefined): object {
  return { on: ways !== undefined, ways: ways ?? [] }
}

/** True for news about direct links. */
export function isDirectNews(news: { readonly event: string }): news is DirectNews {
  return Object.hasOwn(texts, news.event)
}

const texts: { readonly [E in DirectEvent]: (news: DirectNewsData[E]) => readonly string[] } = {
  // What does not last is seen in the prompt.
  way: (way) => (isSettled(way) ? [waySentence(way)] : []),
  delivered: ({ name, isWaiting }) => (isWaiting ? [`${escapeControls(name)} has it (direct); it waits for the server`] : []),
  placed: () => [],
  held: ({ order }) => [heldWords(order)],
  status: ({ name, state, ways }) => [`you are ${escapeControls(name)}, ${standing[state]}`, ...wayLines(ways)],
}

function wayLines(ways: readonly NotedWay[] | undefined): readonly string[] {
  if (ways === undefined) return ['direct links are off: sealwire chat --direct']
  return ways.length === 0 ? ['direct links are on, with nobody yet'] : ways.map(wayWords)
}

/** Why it is refused stands last, so that nothing in it can pass for what we say. */
function heldWords({ from, amount, minor, unit, state, reason }: HeldMoney): string {
  const [who, sum] = [escapeControls(from), sumWords({ amount: amount ?? `${minor} smallest units of`, unit })]
  if (state === 'unsettled') return `${who} handed you ${sum}: worth nothing until it is settled`
  if (state === 'settled') return `settled: ${who} has paid you the ${sum} that were handed over`
  return `not settled: the ${sum} that ${who} handed you are worth nothing${reason === undefined ? '' : `: ${escapeControls(reason)}`}`
}

const standing: { readonly [S in UplinkState]: string } = {
  connecting: 'connecting',
  online: 'connected',
  offline: 'without a connection now',
  closed: 'without a connection',
}
