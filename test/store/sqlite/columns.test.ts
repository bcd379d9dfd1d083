import { expect, test } from 'bun:test'
import { TextTable } from '../../../src/store/sqlite/columns.ts'

test('has each text once, and none at the first place', () => {
  const table = new TextTable()
  const said = ['credits', undefined, '', 'credits', '__proto__', '']
  const places = said.map((text) => table.place(text))
  expect(places).toEqual([1, 0, 2, 1, 3, 2])
  expect(places.map((place) => table.all[place])).toEqual(said)
  expect(table.all).toEqual([undefined, 'credits', '', '__proto__'])
})
