// Step 10 of the schema: legs stand in the order in which they were made, and each knows the one before on its account.
//
// By account, every leg was at another place of the table, and a group of payments wrote a page or two for each account that it
// moved. Now it writes where the last one ended. What an account had at a time is found from its last leg backwards; every 32nd
// leg of an account is in an index, so that nobody goes back further than that.

/** Released: never edited, see migrations.ts. */
export const legSchema = `
  create table leg_new (
    posting integer not null,
    ledger_account_id integer not null,
    -- How many there are on the account with this one.
    number integer not null check (number > 0),
    delta integer not null check (delta <> 0),
    -- After it.
    balance integer not null,
    -- The posting of the one before on the account.
    previous integer check (previous < posting),
    check ((previous is null) = (number = 1)),
    primary key (posting, ledger_account_id)
  ) strict, without rowid;
  insert into leg_new (posting, ledger_account_id, number, delta, balance, previous)
    select posting, ledger_account_id, row_number() over by_account, delta, balance, lag(posting) over by_account
    from leg window by_account as (partition by ledger_account_id order by posting) order by posting, ledger_account_id;
  -- The posting of the last leg of each account that has one. Not beside the balance: one page that is lost must not prove itself.
  create table leg_end (
    ledger_account_id integer primary key,
    posting integer not null
  ) strict;
  insert into leg_end select ledger_account_id, max(posting) from leg group by ledger_account_id;
  drop table leg;
  alter table leg_new rename to leg;
  create index leg_step on leg (ledger_account_id, posting) where number % 32 = 0;
  create trigger leg_stays before delete on leg begin select raise(abort, 'a leg stays'); end;
  create trigger leg_end_stays before delete on leg_end begin select raise(abort, 'a leg stays'); end;
  create trigger leg_end_rises before update on leg_end when new.posting <= old.posting or new.ledger_account_id <> old.ledger_account_id
    begin select raise(abort, 'a leg stays'); end;
  create trigger leg_fixed before update on leg begin select raise(abort, 'a leg stays what it is'); end;
`
