// How a conversation is called, wherever a line names it.

import { escapeControls } from './escape.ts'

/** A conversation as a line knows it. */
export interface PlaceNames {
  readonly conversation: number
  /** The other one of two. */
  readonly peer?: string | undefined
  /** The title of a room. */
  readonly room?: string | undefined
}

/** Its title in square brackets, the name of the other one, or `#` and its number. */
export function placeLabel({ conversation, peer, room }: PlaceNames): string {
  if (room !== undefined) return roomLabel(room)
  return peer === undefined ? `#${conversation}` : escapeControls(peer)
}

/** A title can hold anything: in it brackets are round, so that what is between square ones is all of it. */
export function roomLabel(title: string): string {
  return `[${escapeControls(title).replaceAll('[', '(').replaceAll(']', ')')}]`
}
