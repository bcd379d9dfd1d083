// How one talks with somebody, in words: short for `status`, as a sentence where one talks. Names are escaped here.

import type { Way, WhyRelayed } from '../../client/direct/ways.ts'
import type { NotedWay } from '../../client/home/direct-ways.ts'
import { escapeControls } from '../terminal/escape.ts'

/** A way with its name, as it is noted and told. */
export function namedWay(name: string, way: Way): NotedWay {
  return way.way === 'direct' ? { name, way: 'direct' } : { name, way: 'relayed', why: way.why }
}

/** Whether it is so until something happens; what is wished for no more, or being made, is not. */
export function isSettled({ why }: NotedWay): boolean {
  return why !== 'connecting' && why !== 'off'
}

/** `direct with bob`, or `relayed: bob takes no direct links now`. */
export function waySentence({ name, way, why }: NotedWay): string {
  const who = escapeControls(name)
  if (way === 'direct') return `direct with ${who}`
  return `relayed${why === undefined ? '' : `: ${sentences[why](who)}`}`
}

/** `bob: direct`, or `carol: relayed (no way there)`. */
export function wayWords({ name, way, why }: NotedWay): string {
  return `${escapeControls(name)}: ${way}${why === undefined ? '' : ` (${words[why]})`}`
}

const words: { readonly [W in WhyRelayed]: string } = {
  off: 'off here',
  offline: 'no server to meet through',
  connecting: 'connecting',
  not_contact: 'not taken there',
  not_listening: 'not taken there',
  unreachable: 'no way there',
  untrusted: 'somebody else was there',
  lost: 'link lost',
}

const sentences: { readonly [W in WhyRelayed]: (who: string) => string } = {
  off: (who) => `no direct link with ${who} is wished for here`,
  offline: (who) => `without the server there is no new direct link with ${who}`,
  connecting: (who) => `a direct link with ${who} is being made`,
  not_contact: notTaken,
  not_listening: notTaken,
  unreachable: (who) => `no address of ${who} leads there`,
  untrusted: (who) => `somebody else was at the address of ${who}`,
  lost: (who) => `the direct link with ${who} was lost, and is tried again`,
}

/** A block is silent, so it reads like this as well. */
function notTaken(who: string): string {
  return `${who} takes no direct links now`
}
