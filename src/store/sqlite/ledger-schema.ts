// Step 5 of the schema: units, ledger accounts, the ledger, and what is known of transfers, requests to pay and checkpoints.
//
// The ledger itself is `posting`: what happened, chained by hashes. `leg` is the same by account, with the balance after each,
// and `transfer` and the balances are where it has led; ledger.verify computes all of them from `posting`. Triggers refuse
// every change and every deletion: a mistake of ours must not change what was. Who can write to the file can drop
// them; against that there are the hashes, and checkpoints that others have kept.

/** Released: never edited, see migrations.ts. */
export const ledgerSchema = `
  create table unit (
    code text primary key,
    name text not null,
    decimals integer not null check (decimals between 0 and 9),
    standard integer not null default 0 check (standard in (0, 1)),
    created_at integer not null,
    -- What an account, and each of its devices, may order in a day; null: without bound.
    day_max integer check (day_max >= 0),
    device_day_max integer check (device_day_max >= 0)
  ) strict, without rowid;
  create unique index unit_standard on unit (standard) where standard = 1;
  create trigger unit_stays before delete on unit begin select raise(abort, 'a unit stays'); end;
  create trigger unit_fixed before update of code, decimals on unit begin select raise(abort, 'a unit stays what it is'); end;

  create table ledger_account (
    id integer primary key autoincrement,
    kind text not null check (kind in ('user', 'issuance', 'held')),
    -- 0: the operator's own. No reference to account: whoever has money here cannot be forgotten, and nothing is deleted here.
    holder_id integer not null,
    unit text not null references unit (code),
    balance integer not null default 0 check (balance between -1000000000000000000 and 1000000000000000000),
    floor integer not null default 0,
    -- The lowest floor that there ever was.
    floor_min integer not null default 0,
    frozen_at integer,
    day_max integer check (day_max >= 0),
    device_day_max integer check (device_day_max >= 0),
    check (kind = 'issuance' or balance >= floor_min),
    check (floor_min <= floor and floor <= 0),
    check ((kind = 'user') = (holder_id > 0)),
    unique (holder_id, unit, kind)
  ) strict;
  create trigger ledger_account_stays before delete on ledger_account begin select raise(abort, 'a ledger account stays'); end;
  create trigger ledger_account_fixed before update of id, kind, holder_id, unit on ledger_account
    begin select raise(abort, 'a ledger account stays what it is'); end;

  create table posting (
    seq integer primary key check (seq > 0),
    -- Deterministic CBOR of everything there is to say: ledger-row.ts.
    row blob not null,
    -- SHA-256 of the hash before and the row.
    hash blob not null check (length(hash) = 32)
  ) strict;
  create trigger posting_stays before delete on posting begin select raise(abort, 'a posting stays'); end;
  create trigger posting_fixed before update on posting begin select raise(abort, 'a posting stays what it is'); end;

  create table leg (
    ledger_account_id integer not null,
    posting integer not null,
    delta integer not null check (delta <> 0),
    -- After it.
    balance integer not null,
    primary key (ledger_account_id, posting)
  ) strict, without rowid;
  create trigger leg_stays before delete on leg begin select raise(abort, 'a leg stays'); end;
  create trigger leg_fixed before update on leg begin select raise(abort, 'a leg stays what it is'); end;

  -- Roots of complete subtrees of 2^level postings, from level 8 on: a proof reads no more than 256 postings beside them.
  create table subtree (
    level integer not null check (level >= 8),
    place integer not null,
    hash blob not null check (length(hash) = 32),
    primary key (level, place)
  ) strict, without rowid;

  create table checkpoint (
    size integer primary key check (size > 0),
    root blob not null check (length(root) = 32),
    at integer not null,
    -- COSE_Sign1 by the ledger key.
    cose blob not null
  ) strict;
  create trigger checkpoint_next before insert on checkpoint when new.size <= (select max(size) from checkpoint)
    begin select raise(abort, 'a checkpoint is added at the end'); end;
  create trigger checkpoint_stays before delete on checkpoint begin select raise(abort, 'a checkpoint stays'); end;
  create trigger checkpoint_fixed before update on checkpoint begin select raise(abort, 'a checkpoint stays what it is'); end;

  -- What was ordered, for ever: a late repetition repeats nothing.
  create table transfer (
    -- Its place in the ledger: one after the other, as they are written.
    posting integer primary key,
    -- Whose device signed it; 0: the operator.
    signer_id integer not null,
    id blob not null check (length(id) = 16),
    kind text not null check (kind in ('pay', 'hold', 'capture', 'void', 'refund', 'split', 'mint', 'burn')),
    -- SHA-256 of the bytes that came.
    digest blob not null check (length(digest) = 32),
    unit text not null,
    amount integer not null check (amount > 0),
    payer_id integer,
    payee_id integer,
    status text not null default 'posted' check (status in ('pending', 'posted', 'voided', 'expired')),
    captured integer not null default 0,
    refunded integer not null default 0,
    expires_at integer,
    -- Capture, void, refund: of what.
    of_signer_id integer,
    of_id blob,
    memo text,
    request blob check (length(request) = 16),
    at integer not null,
    -- Of a hold: the posting that ended it.
    closed_by integer,
    unique (signer_id, id),
    check (status = 'posted' or kind = 'hold'),
    check ((kind = 'hold' and status <> 'pending') = (closed_by is not null)),
    check (captured between 0 and iif(kind = 'hold' and status = 'posted', amount, 0)),
    check (refunded between 0 and iif(kind = 'hold', captured, iif(kind in ('pay', 'split'), amount, 0)))
  ) strict;
  create index transfer_pending on transfer (expires_at) where status = 'pending';
  create index transfer_held on transfer (payer_id) where status = 'pending';
  create index transfer_of on transfer (of_signer_id, of_id) where of_id is not null;
  create index transfer_request on transfer (request) where request is not null;
  create trigger transfer_stays before delete on transfer begin select raise(abort, 'a transfer stays'); end;
  create trigger transfer_fixed before update of signer_id, id, kind, digest, unit, amount, payer_id, payee_id, expires_at,
      of_signer_id, of_id, memo, request, at, posting on transfer
    begin select raise(abort, 'a transfer stays what it is'); end;
  create trigger transfer_ended before update of status, captured, closed_by on transfer when old.status <> 'pending'
    begin select raise(abort, 'a transfer has ended'); end;
  create trigger transfer_refunded before update of refunded on transfer when new.refunded <= old.refunded
    begin select raise(abort, 'what was refunded stays so'); end;

  -- Who is paid by a split.
  create table split_part (
    signer_id integer not null,
    id blob not null,
    place integer not null,
    payee_id integer not null,
    amount integer not null check (amount > 0),
    refunded integer not null default 0 check (refunded between 0 and amount),
    memo text,
    primary key (signer_id, id, place),
    foreign key (signer_id, id) references transfer (signer_id, id)
  ) strict, without rowid;
  create trigger split_part_stays before delete on split_part begin select raise(abort, 'a transfer stays'); end;
  create trigger split_part_fixed before update of signer_id, id, place, payee_id, amount, memo on split_part
    begin select raise(abort, 'a transfer stays what it is'); end;

  -- What was ordered in a day (UTC, days since 1970) by a device, which is known by its Ed25519 key.
  create table spent (
    day integer not null,
    ledger_account_id integer not null,
    device blob not null,
    amount integer not null check (amount > 0),
    primary key (day, ledger_account_id, device)
  ) strict, without rowid;

  create table payment_request (
    id blob primary key check (length(id) = 16),
    from_id integer not null references account (id) on delete cascade,
    to_id integer not null references account (id) on delete cascade,
    unit text not null references unit (code),
    amount integer not null check (amount > 0),
    paid integer not null default 0 check (paid between 0 and amount),
    status text not null check (status in ('open', 'paid', 'cancelled', 'declined', 'expired')),
    memo text,
    at integer not null,
    expires_at integer not null,
    ended_at integer,
    check (from_id <> to_id),
    check ((status = 'open') = (ended_at is null)),
    check ((status = 'paid') = (paid = amount))
  ) strict, without rowid;
  create index payment_request_from on payment_request (from_id, at);
  create index payment_request_to on payment_request (to_id, at);
  create index payment_request_open on payment_request (expires_at) where status = 'open';
  create index payment_request_ended on payment_request (ended_at) where ended_at is not null and paid = 0;

  -- The first row that was not what it must be: no order is carried out while there is one.
  create table ledger_fault (
    id integer primary key check (id = 1),
    row text not null,
    what text not null,
    at integer not null
  ) strict;

  insert into unit (code, name, decimals, standard, created_at) values ('credits', 'Credits', 2, 1, 0);
  insert into ledger_account (kind, holder_id, unit) values ('issuance', 0, 'credits'), ('held', 0, 'credits');
`
