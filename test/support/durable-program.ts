// Writes, removes and makes what there is to be in the folder that it is told, each for good. Run by durable-file.test.ts.

import { join } from 'node:path'
import { makeFolder, removeDurably, writeDurably } from '../../src/pki/durable-file.ts'

const [folder = ''] = process.argv.slice(2)
writeDurably(join(folder, 'written'), 'text', 0o600)
removeDurably(join(folder, 'written'))
makeFolder(join(folder, 'outer', 'inner'))
