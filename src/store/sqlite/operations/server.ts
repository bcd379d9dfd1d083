// What a server is and stays.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob } from '../statement.ts'
import { setBack } from './set-back.ts'
import type { StepsOf } from './step.ts'

export const serverSteps: StepsOf<'server'> = {
  'server.id': { kind: 'write', run: serverId, runWithoutRoom: knownServerId },
  'server.setBack': { kind: 'write', run: setBack },
}

function serverId(database: Database, { fresh }: Input<'server.id'>): Uint8Array {
  return readServerId(database) ?? makeServerId(database, fresh)
}

function knownServerId(database: Database): Uint8Array {
  const known = readServerId(database)
  if (known !== undefined) return known
  throw new SealwireError('storage_full', 'there is no room to store it', { hint: 'free some space in the data folder' })
}

function readServerId(database: Database): Uint8Array | undefined {
  const row = database.prepare("select value from server where name = 'id'").row({})
  return row && blob(row, 'value')
}

function makeServerId(database: Database, fresh: Uint8Array): Uint8Array {
  database.prepare("insert into server (name, value) values ('id', :fresh)").run({ fresh })
  return fresh
}
