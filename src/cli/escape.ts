// Text that others chose (names, messages of errors, bytes of an echo) on its way to a terminal or a log: whatever
// could move the cursor, end the line, turn the direction of writing or hide is shown as an escape instead.

/**
 * `text` with C0 and C1 controls, DEL, bidirectional controls, line and paragraph separators, tags and characters of no width
 * as `\n` or `\u001b`. A joiner stays where scripts and emoji are written with it.
 */
export function escapeControls(text: string): string {
  return text.replace(controls, (control) => shorthands.get(control) ?? unitsOf(control).join(''))
}

/** `text` in double quotes as in JSON, controls escaped as {@link escapeControls} does. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(text))
}

/** What lies beyond U+FFFF is two units, as in JSON. */
function unitsOf(character: string): readonly string[] {
  return character.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const hidden = String.raw`\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}`
const joining = ['Arab', 'Syrc', 'Mong', 'Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh']
const afterLetter = `(?<![${joining.map((script) => String.raw`\p{scx=${script}}`).join('')}])[\\u200c\\u200d]`
const betweenEmoji = String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d(?=\p{Extended_Pictographic})`
const controls = new RegExp(`[${hidden}]|(?!${betweenEmoji})${afterLetter}`, 'gu')
const shorthands = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
