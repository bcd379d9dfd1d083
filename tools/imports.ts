// Which modules a file loads, and the cycles among them. Imports of types are left out: they do not exist at run time.

import { posix } from 'node:path'
import type { Node } from 'typescript/unstable/ast'
import { SyntaxKind } from 'typescript/unstable/ast'
import { isExportDeclaration, isImportDeclaration, isStringLiteral } from 'typescript/unstable/ast/is'
import type { Source } from './sources.ts'

export interface ModuleImport {
  readonly specifier: string
  readonly typeOnly: boolean
}

/** The module that a statement imports or exports from, in a list because most statements do neither. */
export function moduleImports(statement: Node): readonly ModuleImport[] {
  if (!isImportDeclaration(statement) && !isExportDeclaration(statement)) return []
  const { moduleSpecifier } = statement
  if (moduleSpecifier === undefined || !isStringLiteral(moduleSpecifier)) return []
  const typeOnly = isExportDeclaration(statement) ? statement.isTypeOnly : statement.importClause?.phaseModifier === SyntaxKind.TypeKeyword
  return [{ specifier: moduleSpecifier.text, typeOnly }]
}

/** The path of a relative import, as in {@link Source.path}; undefined for packages. */
export function importedPath(source: Source, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(source.path), specifier) : undefined
}

/** Groups of files that load each other in a circle, each sorted by path. */
export function importCycles(sources: readonly Source[]): readonly (readonly string[])[] {
  const graph = new Map(sources.map((source) => [source.path, loadedPaths(source)]))
  return stronglyConnected(graph).filter((group) => group.length > 1)
}

function loadedPaths(source: Source): readonly string[] {
  return source.file.statements
    .flatMap(moduleImports)
    .filter((each) => !each.typeOnly)
    .map((each) => importedPath(source, each.specifier))
    .filter((path) => path !== undefined)
}

/** Tarjan's algorithm. */
function stronglyConnected(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const groups: string[][] = []
  const visit = (node: string): number => {
    const index = order.size
    order.set(node, index)
    lowest.set(node, index)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) lowest.set(node, Math.min(lowest.get(node) ?? index, visit(next)))
      else if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? index, order.get(next) ?? index))
    }
    if (lowest.get(node) === index) groups.push(stack.splice(stack.indexOf(node)).sort())
    return lowest.get(node) ?? index
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return groups
}
