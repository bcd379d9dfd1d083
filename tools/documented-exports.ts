// Whether everything a folder's index.ts exports has a doc comment where it is declared.

import { posix } from 'node:path'
import type { Node } from 'typescript/unstable/ast'
import { isExportDeclaration, isIdentifier, isNamedExports, isVariableStatement } from 'typescript/unstable/ast/is'
import { importedPath, moduleImports } from './imports.ts'
import type { Source } from './sources.ts'

export interface ExportDocumentation {
  /** `src/link/index.ts: Link`. */
  readonly name: string
  readonly documented: boolean
}

/** One row for each name that an index.ts exports. */
export function documentedExports(sources: readonly Source[]): readonly ExportDocumentation[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  return sources
    .filter((source) => posix.basename(source.path) === 'index.ts')
    .flatMap((source) =>
      exportedNames(source).map(({ outer }) => ({ name: `${source.path}: ${outer}`, documented: isDocumented(byPath, source, outer) })),
    )
}

function isDocumented(byPath: ReadonlyMap<string, Source>, source: Source, name: string): boolean {
  const local = source.file.statements.find((statement) => declaredNames(statement).includes(name))
  if (local !== undefined) return hasDocComment(source, local)
  const passedOn = exportedNames(source).find((each) => each.outer === name)
  const target = passedOn === undefined ? undefined : byPath.get(importedPath(source, passedOn.specifier) ?? '')
  return target !== undefined && passedOn !== undefined && isDocumented(byPath, target, passedOn.inner)
}

/** What a file passes on with `export { inner as outer } from 'specifier'`. */
function exportedNames(source: Source): readonly { outer: string; inner: string; specifier: string }[] {
  return source.file.statements.flatMap((statement) => {
    const [from] = moduleImports(statement)
    if (from === undefined || !isExportDeclaration(statement)) return []
    const { exportClause } = statement
    if (exportClause === undefined || !isNamedExports(exportClause)) return []
    return exportClause.elements.map(({ name, propertyName }) => ({
      outer: name.text,
      inner: (propertyName ?? name).text,
      specifier: from.specifier,
    }))
  })
}

function declaredNames(statement: Node): readonly string[] {
  if (isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => (isIdentifier(name) ? name.text : ''))
  const { name } = statement as { name?: Node }
  return name !== undefined && isIdentifier(name) ? [name.text] : []
}

function hasDocComment(source: Source, statement: Node): boolean {
  return /\/\*\*[\s\S]*?\*\/\s*$/.test(source.file.text.slice(statement.pos, statement.getStart()))
}
