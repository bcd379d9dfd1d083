// The schema, as numbered steps. A step that was released is never edited: what it made exists on other people's disks.
// The number of the last step is in the database's own header, and a step and its number are committed together.

import type { DatabaseSync } from 'node:sqlite'
import { SealwireError } from '../../protocol/errors.ts'
import { deliverySchema } from './delivery-schema.ts'
import { entryOrderSchema } from './entry-order-schema.ts'
import { heldSchema } from './held-schema.ts'
import { inboxAgeSchema } from './inbox-age-schema.ts'
import { inboxRepairSchema } from './inbox-repair-schema.ts'
import { ledgerSchema } from './ledger-schema.ts'
import { legSchema } from './leg-schema.ts'
import { saidBytesSchema } from './said-bytes-schema.ts'
import { transferSchema } from './transfer-schema.ts'

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
  `
  -- SQLite cannot take a "not null" away, so the table is made anew. Nothing refers to it yet.
  create table account_new (
    id integer primary key autoincrement,
    name text not null,
    key text not null unique,
    skeleton text not null unique,
    -- Null: no password was ever set.
    password_hash text,
    created_at integer not null,
    banned_at integer,
    visibility text not null default 'contacts' check (visibility in ('everyone', 'contacts', 'nobody'))
  ) strict;
  insert into account_new (id, name, key, skeleton, password_hash, created_at)
    select id, name, key, skeleton, password_hash, created_at from account;
  -- The largest number ever given away may be greater than the largest there is.
  delete from sqlite_sequence where name = 'account_new';
  insert into sqlite_sequence (name, seq) select 'account_new', seq from sqlite_sequence where name = 'account';
  drop table account;
  alter table account_new rename to account;

  -- Hashes are SHA-256; what was hashed is not here.
  create table invitation (
    hash blob primary key check (length(hash) = 32),
    uses integer not null check (uses > 0),
    used integer not null default 0 check (used between 0 and uses),
    expires_at integer not null,
    created_at integer not null,
    printed integer not null check (printed in (0, 1))
  ) strict, without rowid;
  create index invitation_expires_at on invitation (expires_at);

  create table token (
    hash blob primary key check (length(hash) = 32),
    account_id integer not null references account (id) on delete cascade,
    created_at integer not null,
    last_used_at integer not null
  ) strict, without rowid;
  create index token_account on token (account_id, last_used_at);

  -- One row for two people, so that it cannot be true for one of them only.
  create table contact (
    low integer not null references account (id) on delete cascade,
    high integer not null references account (id) on delete cascade,
    since integer not null,
    primary key (low, high),
    check (low < high)
  ) strict, without rowid;
  create index contact_high on contact (high);

  create table block (
    account_id integer not null references account (id) on delete cascade,
    blocked_id integer not null references account (id) on delete cascade,
    since integer not null,
    primary key (account_id, blocked_id),
    check (account_id <> blocked_id)
  ) strict, without rowid;
  create index block_blocked on block (blocked_id);
  `,
  `
  -- What a server is and stays: rows by name.
  create table server (
    name text primary key,
    value blob not null
  ) strict, without rowid;

  create table device (
    -- SHA-256 of the SubjectPublicKeyInfo in its certificate: by this a device is known, and by nothing else.
    spki_hash blob primary key check (length(spki_hash) = 32),
    -- For people; follows from the hash.
    id text not null unique,
    account_id integer not null references account (id) on delete cascade,
    -- Null: it was given a certificate without them, and can log in, but not sign.
    ed25519 blob unique check (length(ed25519) = 32),
    x25519 blob unique check (length(x25519) = 32),
    label text not null,
    enrolled_at integer not null,
    used_at integer,
    expires_at integer not null,
    -- A revoked device stays for a while, so that its key cannot come back.
    revoked_at integer,
    -- The token with which it enrolled: worth nothing from its first login on.
    token_hash blob check (length(token_hash) = 32),
    check ((ed25519 is null) = (x25519 is null))
  ) strict, without rowid;
  create index device_account on device (account_id, enrolled_at);
  `,
  deliverySchema,
  ledgerSchema,
  saidBytesSchema,
  `
  -- Ids begin with the time at which they were made: by it first, what is said now is at one place of the index, whoever says it.
  create unique index entry_by_id on entry (id, author_id);
  drop index entry_id;
  `,
  `
  -- How many words each message has is asked by nobody, and it was a row more for each. Everything is indexed anew, as if just said.
  drop table search;
  create virtual table search using fts5 (text, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');
  insert into search (search, rank) values ('secure-delete', 1);
  update conversation set indexed_seq = 0;
  `,
  transferSchema,
  legSchema,
  inboxAgeSchema,
  `
  -- Parts of the index are put together eight at a time, not four: what is said is written to it fewer times over.
  insert into search (search, rank) values ('automerge', 8);
  `,
  inboxRepairSchema,
  entryOrderSchema,
  heldSchema,
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

/** Whether it is a database of Sealwire's, and steps are missing to it. @throws {SealwireError} `data_unusable`, as {@link migrate}. */
export function isOfBefore(connection: DatabaseSync): boolean {
  const version = schemaVersion(connection)
  return version > 0 && version < migrations.length
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
