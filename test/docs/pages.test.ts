// What the pages name is there: files, folders, and the headings that links lead to.

import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const below = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`)
const pages = [...readdirSync(root), ...['docs', 'test', 'bench', 'vectors'].flatMap(below)].filter((name) => name.endsWith('.md'))
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

test('there are pages', () => expect(pages.length).toBeGreaterThan(50))

describe.each(pages)('%s', (page) => {
  test('links to what is there', () => {
    const targets = [...prose(textOf(page)).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !isLinkGood(page, target))).toEqual([])
  })

  test('names files that are there', () => {
    // A path in a record of the past may be gone.
    if (page === 'CHANGELOG.md') return
    const named = [...textOf(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, path = '']) => path)
    expect(named.filter((path) => isOurs(path) && !isThere(path))).toEqual([])
  })

  test('has tables of which every row is one', () => expect(strayRows(prose(textOf(page)))).toEqual([]))
})

test('each limit is enforced by something that is there', () => {
  const rows = [...textOf('docs/LIMITS.md').matchAll(/^\| `\w+`.*\| *([\w/-]+) *\|$/gm)].map(([, by = '']) => by)
  expect(rows.length).toBeGreaterThan(200)
  expect([...new Set(rows)].filter((by) => !existsSync(join(root, 'src', by)) && !existsSync(join(root, 'src', `${by}.ts`)))).toEqual([])
})

/** A page without what it shows of code. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** Rows without a head, as behind an empty line, and those with another number of cells than theirs. */
function strayRows(text: string): readonly string[] {
  const tables = text.split(/^(?!\|).*$/m).map((part) => part.split('\n').filter((line) => line.startsWith('|')))
  return tables.flatMap((rows) => {
    const [head = '', line = ''] = rows
    return /^[|\s:-]+$/.test(line) ? rows.filter((row) => cells(row) !== cells(head)) : rows
  })
}

function cells(row: string): number {
  return row.replaceAll('\\|', '').split('|').length
}

function isLinkGood(page: string, target: string): boolean {
  const [path = '', heading] = target.split('#')
  const to = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, to))) return false
  return heading === undefined || anchorsOf(textOf(to)).includes(heading)
}

/** As the usual renderers make them: small letters, signs gone, spaces as hyphens. */
function anchorsOf(text: string): readonly string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title)
  return headings.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Whether it begins with a folder of ours: pages also name paths of a server, of packages and of the web. */
function isOurs(path: string): boolean {
  const [first = ''] = path.split('/')
  return [...folders, ...layers].includes(first) && !/[A-Z]{2}/.test(path)
}

/** Pages leave out what is the same for a whole table: the folder, and what a name ends with. */
function isThere(path: string): boolean {
  const places = ['', 'src', 'test'].map((folder) => join(root, folder, path))
  return places.some((place) => ['', '.ts', '.test.ts'].some((end) => existsSync(place + end)))
}

const folders = ['src', 'test', 'docs', 'bench', 'tools', 'vectors', 'bin']
const layers = readdirSync(join(root, 'src'))
