// Text that others chose (names, messages of errors, bytes of an echo) on its way to a terminal or a log: whatever
// could move the cursor, end the line, turn the direction of writing or hide is shown as an escape instead.

/**
 * `text` with C0 and C1 controls, DEL, bidirectional controls, line and paragraph separators, tags and whatever else nobody sees
 * as `\n` or `\u001b`. A joiner and a variation selector stay where scripts and emoji are written with them.
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

const hidden = String.raw`[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]`
const joining = ['Arab', 'Syrc', 'Mong', 'Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh']
/** What nobody sees by itself and everybody by what it does to the character before it: joiners and choices of a form. */
const written = [
  String.raw`[${joining.map((script) => String.raw`\p{scx=${script}}`).join('')}][\u200c\u200d]`,
  String.raw`[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]\u200d(?=\p{Extended_Pictographic})`,
  String.raw`\p{Extended_Pictographic}[\ufe0e\ufe0f]|[0-9#*]\ufe0f(?=\u20e3)`,
  String.raw`\p{Script=Han}[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
  String.raw`[\u1820-\u18aa][\u180b-\u180f]`,
]
const controls = new RegExp(`${hidden}(?<!${written.join('|')})`, 'gu')
const shorthands = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
