// What is measured in one source file: the lengths of its functions and the constructs that style.md counts.

import type { Node, SourceFile } from 'typescript/unstable/ast'
import { SyntaxKind } from 'typescript/unstable/ast'
import {
  isArrowFunction,
  isAsExpression,
  isBlock,
  isCallExpression,
  isConstructorDeclaration,
  isExportDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isMethodDeclaration,
  isNewExpression,
  isParenthesizedExpression,
  isSetAccessorDeclaration,
  isTypeAliasDeclaration,
} from 'typescript/unstable/ast/is'
import { moduleImports } from './imports.ts'
import { lineOf } from './sources.ts'

export interface Measures {
  /** Every function with a body of statements; the lines of a nested one count for the outer one too. */
  readonly functions: readonly { readonly line: number; readonly lines: number }[]
  /** Lines with the type `any`. */
  readonly anys: readonly number[]
  /** Lines with a cast of a cast. */
  readonly doubleCasts: readonly number[]
  /** Lines that make an `Error` without a code. */
  readonly bareErrors: readonly number[]
  /** Lines with a number that has a point or an exponent. */
  readonly floats: readonly number[]
  /** Lines with `export *`. */
  readonly starExports: readonly number[]
  /** Nothing of the file is left when types are taken away. */
  readonly typesOnly: boolean
}

export function measure(file: SourceFile): Measures {
  const nodes = allNodes(file)
  const lines = (test: (node: Node) => boolean) => nodes.filter(test).map((node) => lineOf(file, node.getStart()))
  return {
    functions: nodes.filter(hasStatements).map((node) => ({
      line: lineOf(file, node.getStart()),
      lines: lineOf(file, node.end) - lineOf(file, node.getStart()) + 1,
    })),
    anys: lines((node) => node.kind === SyntaxKind.AnyKeyword),
    doubleCasts: lines((node) => isAsExpression(node) && isAsExpression(withoutParentheses(node.expression))),
    bareErrors: lines((node) => (isNewExpression(node) || isCallExpression(node)) && isNamed(node.expression, 'Error')),
    floats: lines((node) => node.kind === SyntaxKind.NumericLiteral && /^[0-9][^xob]*[.e]|^\./i.test(node.getText(file))),
    starExports: lines(
      (node) => isExportDeclaration(node) && (node.exportClause === undefined || node.exportClause.kind === SyntaxKind.NamespaceExport),
    ),
    typesOnly: file.statements.every(
      (node) => isInterfaceDeclaration(node) || isTypeAliasDeclaration(node) || moduleImports(node).length > 0,
    ),
  }
}

function allNodes(root: Node): Node[] {
  const nodes: Node[] = []
  const visit = (node: Node): void => {
    nodes.push(node)
    node.forEachChild(visit)
  }
  visit(root)
  return nodes
}

function hasStatements(node: Node): boolean {
  if (isArrowFunction(node)) return isBlock(node.body)
  return (
    (isFunctionDeclaration(node) ||
      isFunctionExpression(node) ||
      isMethodDeclaration(node) ||
      isConstructorDeclaration(node) ||
      isGetAccessorDeclaration(node) ||
      isSetAccessorDeclaration(node)) &&
    node.body !== undefined
  )
}

function withoutParentheses(node: Node): Node {
  return isParenthesizedExpression(node) ? withoutParentheses(node.expression) : node
}

function isNamed(node: Node, name: string): boolean {
  return isIdentifier(node) && node.text === name
}
