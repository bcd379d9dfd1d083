// Step 9 of the schema: transfers, which were most of what a payment cost, anew.
//
// Ids begin with the time at which they were made: by it first, what is ordered now is at one place of the index, whoever orders
// it. And of the words that may stand in a column the commonest is compared before the list of the others.

/** Released: never edited, see migrations.ts. */
export const transferSchema = `
  create table transfer_new (
    -- Its place in the ledger: one after the other, as they are written.
    posting integer primary key,
    -- Whose device signed it; 0: the operator.
    signer_id integer not null,
    id blob not null check (length(id) = 16),
    -- The commonest first: a list is made anew for every row.
    kind text not null check (kind = 'pay' or kind in ('hold', 'capture', 'void', 'refund', 'split', 'mint', 'burn')),
    -- SHA-256 of the bytes that came.
    digest blob not null check (length(digest) = 32),
    unit text not null,
    amount integer not null check (amount > 0),
    payer_id integer,
    payee_id integer,
    status text not null default 'posted' check (status = 'posted' or status in ('pending', 'voided', 'expired')),
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
    unique (id, signer_id),
    check (status = 'posted' or kind = 'hold'),
    check ((kind = 'hold' and status <> 'pending') = (closed_by is not null)),
    check (captured between 0 and iif(kind = 'hold' and status = 'posted', amount, 0)),
    check (refunded between 0 and iif(kind = 'hold', captured, iif(kind = 'pay' or kind = 'split', amount, 0)))
  ) strict;
  insert into transfer_new (posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, status, captured, refunded, expires_at,
      of_signer_id, of_id, memo, request, at, closed_by)
    select posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, status, captured, refunded, expires_at,
      of_signer_id, of_id, memo, request, at, closed_by from transfer order by posting;

  -- Who is paid by a split. It refers to transfers, and while it does they cannot be taken away.
  create table split_part_new (
    signer_id integer not null,
    id blob not null,
    place integer not null,
    payee_id integer not null,
    amount integer not null check (amount > 0),
    refunded integer not null default 0 check (refunded between 0 and amount),
    memo text,
    primary key (signer_id, id, place),
    foreign key (signer_id, id) references transfer_new (signer_id, id)
  ) strict, without rowid;
  insert into split_part_new (signer_id, id, place, payee_id, amount, refunded, memo)
    select signer_id, id, place, payee_id, amount, refunded, memo from split_part order by signer_id, id, place;
  drop table split_part;
  drop table transfer;
  alter table transfer_new rename to transfer;
  alter table split_part_new rename to split_part;

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
  create trigger split_part_stays before delete on split_part begin select raise(abort, 'a transfer stays'); end;
  create trigger split_part_fixed before update of signer_id, id, place, payee_id, amount, memo on split_part
    begin select raise(abort, 'a transfer stays what it is'); end;
`
