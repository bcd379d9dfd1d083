import { escapeControls } from './escape.ts'

/** `value` as a line of JSON for programs that may end up on a terminal: what could control it is escaped as JSON does. */
export function jsonLine(value: object): string {
  return `${escapeControls(JSON.stringify(value))}\n`
}
