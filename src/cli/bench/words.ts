// How `sealwire bench` tells what it has measured.

import { limitTable } from '../../protocol/limits.ts'
import type { BenchPart, BenchPlan, Refused } from './run.ts'
import { escapeControls } from '../terminal/escape.ts'

/** What is left at the server. */
export interface Stays {
  /** Of accounts that were made for this. */
  readonly names: readonly string[]
  /** What was told. */
  readonly parts: readonly BenchPart[]
  readonly bodyBytes: number
}

/** One part, for people. */
export function benchLine(part: BenchPart, { senders, depth, bodyBytes }: Pick<BenchPlan, 'senders' | 'depth' | 'bodyBytes'>): string {
  const { count, p50Ms, p99Ms, p999Ms, mostMs } = part
  switch (part.part) {
    case 'connect':
      return `connect   p50 ${ms(p50Ms)}, most ${ms(mostMs)}: ${count} logged in`
    case 'ping':
      return `ping      p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}: ${count} one after the other`
    case 'messages': {
      const load = `${senders} × ${depth} under way, ${bodyBytes} B`
      const pace = `messages  ${Math.round(part.perSecond)} a second, p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, p99.9 ${ms(p999Ms)}: ${part.accepted} accepted, ${load}`
      const limits = [heldBackLine(part), part.refused && refusedLine(part.refused)].filter((line) => line !== undefined)
      return [pace, ...limits].join('\n')
    }
  }
}

/** What is left, for people. */
export function staysLine({ names, parts, bodyBytes }: Stays): string {
  const said = messagesOf(parts)
  const rooms = said === 0 ? [] : [`${said} messages (${said * bodyBytes} B) in a room that nobody is in`]
  const accounts = names.length === 0 ? [] : [`the accounts ${names.join(', ')}, which nobody can log in to`]
  return `stays     ${[...rooms, ...accounts].join(' and ') || 'nothing'}`
}

/** Everything, for programs. */
export function benchJson({ names, parts, bodyBytes }: Stays): object {
  const told = parts.map(({ part, ...figures }) => [part, figures] as const)
  return { ...Object.fromEntries(told), stays: { accounts: names, messages: messagesOf(parts), bytes: messagesOf(parts) * bodyBytes } }
}

/** A server does not say that it holds somebody back, so it is told as what it looks like. */
function heldBackLine({ heldBack }: BenchPart & { readonly part: 'messages' }): string | undefined {
  if (heldBack === undefined) return undefined
  const { messagesPerSecondPerAccountMax: rate, messagesBurstPerAccountMax: burst } = limitTable
  const { after, perSecond } = heldBack
  const seen =
    after === 0
      ? 'it took no more from the start on: wait a minute, until the account may say more'
      : `after ${after} messages it took ${perSecond.toFixed(0)} a second; the figures are those before`
  return (
    `limited   ${seen}. ` +
    `an account may say ${burst.value} at once and ${rate.value} a second (serve --limit messagesBurstPerAccountMax=, messagesPerSecondPerAccountMax=)`
  )
}

function refusedLine({ code, sentence }: Refused): string {
  const limits = raised[code]
  return `limited   ${code}: ${escapeControls(sentence)}${limits === undefined ? '' : ` (serve --limit ${limits.map((name) => `${name}=`).join(', ')})`}`
}

function messagesOf(parts: readonly BenchPart[]): number {
  return parts.reduce((sum, part) => sum + (part.part === 'messages' ? part.accepted : 0), 0)
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
}

/** The limits that an operator may raise, by the code of a refusal. */
const raised: Readonly<Partial<Record<string, readonly (keyof typeof limitTable)[]>>> = {
  rate_limited: ['messagesPerSecondPerAccountMax', 'messagesBurstPerAccountMax'],
  quota_exceeded: ['storedBytesPerAccountMax'],
}
