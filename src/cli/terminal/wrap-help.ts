// A help as wide as its terminal: prose is wrapped anew, and a line of a table goes on below its last column. Commands stay
// in one piece, to be copied.

/** `columns`: the most characters of a line, but for a word or a command that is longer. */
export function wrapHelp(text: string, columns: number): string {
  const lines: string[] = []
  let isProse = false
  for (const line of text.split('\n')) {
    const before = isProse ? `${lines.pop()} ` : ''
    isProse = line !== '' && !line.startsWith(' ')
    if (before !== '' && !isProse) lines.push(before.trimEnd())
    lines.push(...(isProse ? wrap(before + line, columns, '') : wrapRow(line, columns)))
  }
  return lines.join('\n')
}

function wrapRow(line: string, columns: number): readonly string[] {
  const [head = ''] = /^ +.*\S {2,}(?=\S)/.exec(line) ?? []
  return line.length <= columns || head === '' || columns - head.length < columnMin ? [line] : wrap(line, columns, ' '.repeat(head.length))
}

/** The lines after the first begin with `indent`. */
function wrap(line: string, columns: number, indent: string): readonly string[] {
  if (line.length <= columns) return [line]
  const at = line.lastIndexOf(' ', columns)
  const from = at > indent.length ? at : line.indexOf(' ', indent.length + 1)
  return from === -1 ? [line] : [line.slice(0, from), ...wrap(indent + line.slice(from + 1), columns, indent)]
}

/** A narrower last column would be hard to read. */
const columnMin = 20
