// A field of comma separated values, for spreadsheets too.

import { escapeControls } from '../terminal/escape.ts'

/**
 * As RFC 4180 has it, controls escaped, and quoted for what takes a semicolon for a comma as well. One that a spreadsheet would take
 * for a formula gets an apostrophe, amounts excepted.
 */
export function csvField(text: string): string {
  const shown = escapeControls(text)
  const safe = formula.test(shown) && !amount.test(shown) ? `'${shown}` : shown
  return /[",;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const formula = /^\s*[=+@＝＋＠－-]/u
const amount = /^-[0-9.]+$/
