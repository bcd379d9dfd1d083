// Step 14 of the schema: entries lie in the order in which they came, and an index says where each conversation has them.
//
// By conversation, what was said now was in the middle of the table, at as many places as there are conversations: most pages that a
// group wrote were entries of before that had to make room. Of the index a page holds ten times as many.

/** Released: never edited, see migrations.ts. */
export const entryOrderSchema = `
  create table entry_new (
    -- conversation * 2^32 + its place there.
    key integer not null,
    author_id integer not null references account (id),
    -- Made by the author's client. It stays for ever, also of what was deleted: a late repetition repeats nothing.
    id blob not null check (length(id) = 16),
    -- The commonest first: a list is made anew for every row.
    kind text not null check (kind = 'message' or kind in ('edit', 'delete', 'reaction', 'pin', 'contact', 'member', 'room')),
    device text,
    at integer not null,
    type text,
    body blob,
    -- Key of the entry that it is about.
    target integer,
    -- CBOR of what else is said of it.
    data blob,
    file blob check (length(file) = 16),
    edited_at integer,
    deleted_at integer,
    -- The member who blocks the author of it: for them it is not there.
    hidden_from integer
  ) strict;
  insert into entry_new (key, author_id, id, kind, device, at, type, body, target, data, file, edited_at, deleted_at, hidden_from)
    select key, author_id, id, kind, device, at, type, body, target, data, file, edited_at, deleted_at, hidden_from from entry order by key;
  create unique index entry_by_key on entry_new (key);

  -- It goes with its entry, so it must not be there when the old entries go.
  create table pin_new (
    key integer primary key references entry_new (key) on delete cascade
  ) strict;
  insert into pin_new (key) select key from pin;
  drop table pin;
  drop table entry;
  alter table entry_new rename to entry;
  alter table pin_new rename to pin;

  create unique index entry_by_id on entry (id, author_id);
  -- What a deletion takes along, and what was edited later.
  create index entry_target on entry (target, key) where target is not null;
  create index entry_reaction on entry (target) where kind = 'reaction';
  create index entry_file on entry (file) where file is not null;
`
