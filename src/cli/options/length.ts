import { SealwireError } from '../../protocol/errors.ts'

/** `label`: where the text was written, such as `--topic`. @throws {SealwireError} `usage` for more than `max` characters. */
export function checkLength(label: string, text: string, max: number, hint = 'write a shorter one'): void {
  if (text.length <= max) return
  throw new SealwireError('usage', `${label} has ${text.length} characters, and may have ${max}`, { hint })
}
