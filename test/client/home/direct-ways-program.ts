// Notes that it talks with bob directly from the home that it is given, says so, and stays.

import { DirectNote } from '../../../src/client/home/direct-ways.ts'
import { Home } from '../../../src/client/home/home.ts'

new DirectNote(new Home(process.argv[2] ?? '')).write([{ name: 'bob', way: 'direct' }])
console.log('noted')
setInterval(() => {}, 1_000)
