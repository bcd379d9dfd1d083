// Notes that it talks with bob directly from the home that it is given, says so, and stays.

import { DirectNote } from '../../../src/client/home/direct-ways.ts'
import { Home } from '../../../src/client/home/home.ts'

const note = new DirectNote(new Home(process.argv[2] ?? ''))
note.write([{ name: 'bob', way: 'direct' }])
console.log('noted')
// What nobody refers to any more may be collected, and its lock with it.
setInterval(() => note, 1_000)
