// Text that others chose (names, messages of errors, bytes of an echo) on its way to a terminal or a log: whatever
// could move the cursor, end the line or turn the direction of writing is shown as an escape instead.

/** `text` with C0 and C1 controls, DEL, bidirectional controls and line and paragraph separators as `\n` or `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(controls, (control) => shorthands.get(control) ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** `text` in double quotes as in JSON, controls escaped as {@link escapeControls} does. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(text))
}

const controls = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu
const shorthands = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
