// Step 13 of the schema: inboxes that had let go of more than was counted as stored.
//
// A device was revoked, what had waited for it alone left, and was counted as waiting still: who had said it was refused for a full
// inbox, and what the other devices stored could not be acknowledged.

/** Released: never edited, see migrations.ts. */
export const inboxRepairSchema = `
  -- What is stored ends before what waits; bytes of an entry may have changed since, so the first that waits counts as stored.
  update inbox set stored_seq = gone_seq, stored_bytes = coalesce(
      (select bytes from inbox_entry where inbox_entry.account_id = inbox.account_id order by seq limit 1), bytes)
    where stored_seq < gone_seq;

  update member set waiting = 0 where waiting > 0;
  update member set waiting = counted.others
    from (select inbox_entry.account_id, entry.key >> 32 as conversation_id, count(*) as others
      from inbox join inbox_entry on inbox_entry.account_id = inbox.account_id and inbox_entry.seq > inbox.stored_seq
      join entry on entry.key = inbox_entry.key
      where entry.author_id <> inbox_entry.account_id group by 1, 2) as counted
    join conversation on conversation.id = counted.conversation_id and conversation.kind = 'direct'
    where member.conversation_id = counted.conversation_id and member.account_id = counted.account_id;
`
