// Step 4 of the schema: conversations, their entries, who is in them, inboxes, files, and the index of what can be searched.

/** Released: never edited, see migrations.ts. */
export const deliverySchema = `
  create table conversation (
    id integer primary key autoincrement check (id < 2147483648),
    kind text not null check (kind in ('direct', 'room')),
    -- Direct: two accounts, low < high, one conversation for both.
    low integer references account (id) on delete cascade,
    high integer references account (id) on delete cascade,
    -- Direct: whether they talk. A room is always accepted.
    state text not null check (state in ('new', 'requested', 'accepted', 'declined')),
    -- Direct: who asked last; room: who made it.
    by_id integer not null references account (id) on delete cascade,
    -- Room: the id with which it was made, so that making it again makes no second one.
    create_id blob check (length(create_id) = 16),
    -- Of the request or its answer; of a room, when it was made.
    state_at integer not null,
    title text,
    topic text,
    announcement integer not null default 0 check (announcement in (0, 1)),
    history text not null default 'joined' check (history in ('joined', 'all')),
    -- Null: for ever.
    retention_ms integer check (retention_ms > 0),
    -- Everything up to here was deleted because it was older than it is kept.
    expired_seq integer not null default 0,
    -- When there is more of it to be deleted; null: nothing is stored, or for ever.
    expire_at integer,
    last_seq integer not null default 0,
    -- Everything up to here is in the index.
    indexed_seq integer not null default 0,
    -- Rooms: SHA-256 of the secret in its link.
    link_hash blob unique check (length(link_hash) = 32),
    link_uses integer,
    link_expires_at integer,
    check ((kind = 'direct') = (low is not null and high is not null)),
    check (kind = 'room' or low < high),
    unique (low, high),
    unique (by_id, create_id)
  ) strict;
  create index conversation_high on conversation (high);
  create index conversation_to_index on conversation (id) where indexed_seq < last_seq;
  -- Requests that nobody has answered.
  create index conversation_open on conversation (by_id) where state = 'requested';
  create index conversation_expire_at on conversation (expire_at) where expire_at is not null;

  create table member (
    conversation_id integer not null references conversation (id) on delete cascade,
    account_id integer not null references account (id) on delete cascade,
    role text not null check (role in ('owner', 'moderator', 'member')),
    invited integer not null default 0 check (invited in (0, 1)),
    -- The first entry that the account may see.
    first_seq integer not null default 1,
    since integer not null,
    -- Stored on one of its devices, and read, up to here.
    delivered_seq integer not null default 0,
    read_seq integer not null default 0,
    -- Direct: how many entries of the other one no device of this account has stored.
    waiting integer not null default 0 check (waiting >= 0),
    primary key (conversation_id, account_id)
  ) strict, without rowid;
  create index member_account on member (account_id, conversation_id);

  -- Invitations to who blocks the one who invited: for everybody else in the room they are as others, for them they are not.
  create table unseen_invitation (
    conversation_id integer not null references conversation (id) on delete cascade,
    account_id integer not null references account (id) on delete cascade,
    since integer not null,
    primary key (conversation_id, account_id)
  ) strict, without rowid;
  create index unseen_invitation_account on unseen_invitation (account_id);

  create table entry (
    -- conversation * 2^32 + its place there: one b-tree, in the order in which conversations are read.
    key integer primary key,
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
  create unique index entry_id on entry (author_id, id);
  -- What a deletion takes along.
  create index entry_target on entry (target) where target is not null;
  create index entry_file on entry (file) where file is not null;

  create table pin (
    key integer primary key references entry (key) on delete cascade
  ) strict;

  create table inbox (
    account_id integer primary key references account (id) on delete cascade,
    last_seq integer not null default 0,
    -- Sum of the sizes of all that was ever put in.
    bytes integer not null default 0,
    -- Up to here one of the devices has stored everything, and the sum of sizes up to there.
    stored_seq integer not null default 0,
    stored_bytes integer not null default 0,
    -- Up to here entries have left before every device had them.
    lost_seq integer not null default 0,
    -- Up to here entries have left, whatever for: inbox_entry has exactly those behind it.
    gone_seq integer not null default 0
  ) strict;

  create table inbox_device (
    device text primary key,
    account_id integer not null references account (id) on delete cascade,
    acked_seq integer not null
  ) strict, without rowid;
  create index inbox_device_account on inbox_device (account_id, acked_seq);

  -- An installation that has a token alone goes with it; its name is that of session-token.ts.
  create trigger token_gone after delete on token begin
    delete from inbox_device where device = 't-' || lower(hex(substr(old.hash, 1, 10)));
  end;

  create table inbox_entry (
    account_id integer not null references account (id) on delete cascade,
    seq integer not null,
    key integer not null,
    at integer not null,
    -- As inbox.bytes was with this one.
    bytes integer not null,
    primary key (account_id, seq)
  ) strict, without rowid;
  create index inbox_entry_at on inbox_entry (at);

  create table privacy (
    account_id integer primary key references account (id) on delete cascade,
    presence integer not null default 1 check (presence in (0, 1)),
    typing integer not null default 1 check (typing in (0, 1)),
    delivered integer not null default 1 check (delivered in (0, 1)),
    read integer not null default 1 check (read in (0, 1))
  ) strict;

  -- A link with which one more installation becomes a device; the hash is SHA-256 of its secret.
  create table device_link (
    account_id integer primary key references account (id) on delete cascade,
    hash blob not null unique check (length(hash) = 32),
    expires_at integer not null
  ) strict;

  create table file (
    id blob primary key check (length(id) = 16),
    owner_id integer not null references account (id),
    conversation_id integer not null references conversation (id) on delete cascade,
    name text not null,
    size integer not null,
    sha256 blob not null check (length(sha256) = 32),
    whole integer not null default 0 check (whole in (0, 1)),
    sent integer not null default 0 check (sent in (0, 1)),
    at integer not null
  ) strict, without rowid;
  create index file_owner on file (owner_id, size);
  create index file_conversation on file (conversation_id);
  create index file_unsent on file (at) where sent = 0;

  -- Words of messages by entry.key. Contentless: the text itself is in entry alone. secure-delete: a deleted word leaves the index
  -- at once and not with a later merge. Not contentless_delete, which marks a row as deleted and leaves its words where they are.
  create virtual table search using fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2');
  insert into search (search, rank) values ('secure-delete', 1);

  -- Who knew each other before there were conversations has one from now on.
  insert into conversation (kind, low, high, state, by_id, state_at)
    select 'direct', low, high, 'accepted', low, since from contact;
  insert into member (conversation_id, account_id, role, since)
    select id, low, 'member', state_at from conversation union all select id, high, 'member', state_at from conversation;
`
