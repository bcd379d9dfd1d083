/** `1 file`, `2 files`, `1 entry`, `0 entries`: a count with what is counted, named by one and by several of it. */
export function counted(count: number, one: string, several: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`
}
