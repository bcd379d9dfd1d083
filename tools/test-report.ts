// What `bun test --reporter=junit` writes down beside what it shows: which files have a test, and why one has failed. With several
// files at once its words about a test may come behind the test, or below another file: here they are with their test.

/** Why a test has failed: at most these many lines of it are told again. */
const reasonLinesMax = 30

export interface TestReport {
  /** The files that have a test, passed, failed or skipped. What could not be loaded is not there. */
  readonly tested: ReadonlySet<string>
  /** In the order of the report. */
  readonly failures: readonly FailedTest[]
}

export interface FailedTest {
  readonly file: string
  /** Without what it is described in. */
  readonly name: string
  /** What was thrown: name, message, places, and the same of what caused it. Empty where nothing was. */
  readonly reason: readonly string[]
}

export const emptyReport: TestReport = { tested: new Set(), failures: [] }

export function readReport(junit: string): TestReport {
  const tests = [...junit.matchAll(testPattern)].map(([, attributes = '', inner = '']) => ({ ...testOf(attributes), inner }))
  return {
    tested: new Set(tests.map(({ file }) => file)),
    failures: tests.flatMap(({ file, name, inner }) => {
      const [, said, thrown = said] = failurePattern.exec(inner) ?? []
      return said === undefined ? [] : [{ file, name, reason: linesOf(unescaped(thrown ?? '')) }]
    }),
  }
}

function testOf(attributes: string): { readonly file: string; readonly name: string } {
  const valueOf = (key: string): string => unescaped(new RegExp(` ${key}="([^"]*)"`).exec(attributes)?.[1] ?? '')
  return { file: valueOf('file').replaceAll('\\', '/'), name: valueOf('name') }
}

function linesOf(text: string): readonly string[] {
  return text.trimEnd().split('\n').slice(0, reasonLinesMax)
}

/** In one pass: `&amp;lt;` is `&lt;`. */
function unescaped(text: string): string {
  return text.replaceAll(/&(?:(amp|lt|gt|quot|apos)|#(\d+));/g, (_all, name?: keyof typeof entities, code?: string) =>
    name === undefined ? String.fromCodePoint(Number(code)) : entities[name],
  )
}

const testPattern = /<testcase((?: [\w-]+="[^"]*")*) *(?:\/>|>(.*?)<\/testcase>)/gs
const failurePattern = /<failure[^>]*? message="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/failure>)/s
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const
