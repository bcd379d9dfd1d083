// The schema, as numbered steps. A step that was released is never edited: what it made exists on other people's disks.
// The number of the last step is in the database's own header, and a step and its number are committed together.

import type { DatabaseSync } from 'node:sqlite'
import { SealwireError } from '../../protocol/errors.ts'

/** Step n takes a database from schema n to schema n + 1. Tables are STRICT: a value of another type is refused. */
export const migrations: readonly string[] = [
  `
  create table account (
    -- autoincrement: the number of a deleted account is never given to another one.
    id integer primary key autoincrement,
    name text not null,
    key text not null unique,
    skeleton text not null unique,
    password_hash text not null,
    created_at integer not null
  ) strict;

  create table throttle (
    key text primary key,
    failures integer not null check (failures > 0),
    since integer not null,
    last_at integer not null
  ) strict, without rowid;
  create index throttle_last_at on throttle (last_at);

  -- The number of rows in throttle, kept here because counting them would read them all at every failed login.
  create table throttle_size (rows integer not null) strict;
  insert into throttle_size values (0);
  create trigger throttle_added after insert on throttle begin update throttle_size set rows = rows + 1; end;
  create trigger throttle_removed after delete on throttle begin update throttle_size set rows = rows - 1; end;
  `,
]

/**
 * Brings a database to the newest schema, one transaction a step.
 * @throws {SealwireError} `data_unusable` when the file belongs to another program or to a newer Sealwire.
 */
export function migrate(connection: DatabaseSync, steps: readonly string[] = migrations): void {
  const version = schemaVersion(connection)
  if (version > steps.length) {
    throw new SealwireError('data_unusable', `the database has schema ${version}, this Sealwire knows ${steps.length}`, {
      hint: 'start the newer Sealwire that wrote it',
    })
  }
  for (const [index, step] of steps.entries()) {
    if (index >= version) applyStep(connection, step, index + 1)
  }
}

function schemaVersion(connection: DatabaseSync): number {
  const owner = pragma(connection, 'application_id')
  const version = pragma(connection, 'user_version')
  if (owner !== applicationId && (owner !== 0 || version !== 0 || hasTables(connection))) {
    throw new SealwireError('data_unusable', 'the database belongs to another program', { hint: 'choose another data folder' })
  }
  return version
}

function applyStep(connection: DatabaseSync, step: string, version: number): void {
  connection.exec('begin immediate')
  try {
    connection.exec(step)
    connection.exec(`pragma application_id = ${applicationId}; pragma user_version = ${version}`)
    connection.exec('commit')
  } catch (reason) {
    if (connection.isTransaction) connection.exec('rollback')
    throw reason
  }
}

function hasTables(connection: DatabaseSync): boolean {
  return connection.prepare('select 1 from sqlite_schema limit 1').get() !== undefined
}

function pragma(connection: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(connection.prepare(`pragma ${name}`).get()?.[name])
}

/** `SEAL` in ASCII. */
const applicationId = 0x5345_414c
