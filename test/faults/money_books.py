"""The database of a server, read by SQLite alone, against the ledger that was computed from the postings."""

import sqlite3
from collections import Counter
from hashlib import sha256


class Books:
    """The database, read by SQLite alone."""

    def __init__(self, path, ledger, problem):
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.ledger = ledger
        self.problem = problem

    def check(self, journals, plan):
        verdict = self.connection.execute("pragma quick_check").fetchone()[0]
        if verdict != "ok":
            self.problem("database", "is damaged:", verdict)
        self.check_accounts()
        self.check_postings()
        self.check_legs()
        self.check_transfers()
        self.check_requests(journals)
        self.check_messages(plan)

    def check_accounts(self):
        seen = set()
        for id, kind, holder, unit, balance in self.connection.execute("select id, kind, holder_id, unit, balance from ledger_account"):
            seen.add(id)
            if balance != self.ledger.balances.get(id, 0):
                self.problem("database", "ledger account", id, "has", balance, "and should have", self.ledger.balances.get(id, 0))
            if id in self.ledger.holders and self.ledger.holders[id] != (unit, holder):
                self.problem("database", "ledger account", id, "is of somebody else")
            if kind != "user" and self.ledger.own.get((unit, kind), id) != id:
                self.problem("database", "ledger account", id, "is not", kind)
        for id in self.ledger.balances.keys() - seen:
            self.problem("database", "ledger account", id, "is missing")

    def check_postings(self):
        count, last = 0, bytes(32)
        for seq, row, hash in self.connection.execute("select seq, row, hash from posting order by seq"):
            count += 1
            last = sha256(last + row).digest()
            if seq != count or hash != last:
                self.problem("database", "posting", seq, "does not follow from the one before")
                last = hash
        if (count, last) != (len(self.ledger.postings), self.ledger.hash):
            self.problem("database", "has", count, "postings, or others than the export, which has", len(self.ledger.postings))

    def check_legs(self):
        balances = Counter()
        count = 0
        for account, seq, delta, balance in self.connection.execute(
            "select ledger_account_id, posting, delta, balance from leg order by posting"
        ):
            count += 1
            balances[account] += delta
            posting = self.ledger.postings.get(seq)
            if posting is None or not any(each == account and moved == delta for each, _, moved in posting.legs):
                self.problem("database", "a leg of posting", seq, "is not in its row")
            if balances[account] != balance:
                self.problem("database", "the leg of", account, "in posting", seq, "has balance", balance)
        if count != sum(len(posting.legs) for posting in self.ledger.postings.values()):
            self.problem("database", "has", count, "legs")

    def check_transfers(self):
        count = 0
        for seq, signer, id, kind, digest, amount, status, captured, refunded in self.connection.execute(
            "select posting, signer_id, id, kind, digest, amount, status, captured, refunded from transfer"
        ):
            count += 1
            posting = self.ledger.transfers.get((signer, id))
            if posting is None or (posting.seq, posting.kind, posting.amount) != (seq, kind, amount):
                self.problem("database", "the transfer of posting", seq, "is another one")
                continue
            if posting.digest is not None and digest.hex() != posting.digest:
                self.problem("database", "the transfer of posting", seq, "was made of other bytes")
            if status != self.ledger.status.get(seq, "posted"):
                self.problem("database", "the transfer of posting", seq, "is", status)
            if kind in ("pay", "hold") and status == "posted":
                paid = captured if kind == "hold" else amount
                if paid - refunded != posting.left:
                    self.problem("database", "of the transfer of posting", seq, refunded, "was refunded, and", posting.left, "is left")
        if count != len(self.ledger.transfers):
            self.problem("database", "has", count, "transfers and should have", len(self.ledger.transfers))

    def check_requests(self, journals):
        paid = Counter()
        for request, signer, payee, amount in self.connection.execute(
            "select request, payer_id, payee_id, amount from transfer where request is not null"
        ):
            paid[request.hex()] += amount
        rows = {}
        for id, from_id, to_id, amount, done, status in self.connection.execute(
            "select id, from_id, to_id, amount, paid, status from payment_request"
        ):
            rows[id.hex()] = (from_id, to_id, amount)
            if done != paid[id.hex()] or done > amount or (status == "paid") != (done == amount):
                self.problem("request", id.hex(), "has", done, "of", amount, "and is", status, "with payments of", paid[id.hex()])
        for id, (account, attempt, made) in journals.requests.items():
            if made and rows.get(id) != (account, attempt["to"], attempt["amount"]):
                self.problem("request", id, "is not there as it was acknowledged")
            if not made and id in rows:
                self.problem("request", id, "was refused and is there")
        for id in rows.keys() - journals.requests.keys():
            self.problem("request", id, "was never made")

    def check_messages(self, plan):
        """Of the two who have agreed to talk: what moved between them, and what one of them asked of the other."""
        friends = set(plan["friends"])
        expected = set()
        for (signer, id), posting in self.ledger.transfers.items():
            expected.update((signer, each) for each in messages_of(posting, signer, id, friends, self.ledger))
        for id, from_id, to_id in self.connection.execute("select id, from_id, to_id from payment_request"):
            if {from_id, to_id} == friends:
                expected.add((from_id, id))
        there = Counter(self.connection.execute("select author_id, id from entry where type = 'application/vnd.sealwire.payment+cbor'"))
        for key in there.keys() - expected:
            self.problem("message", "of", key[0], key[1].hex(), "tells of nothing between the two")
        for key in expected - there.keys():
            self.problem("message", "of", key[0], key[1].hex(), "is missing")


def messages_of(posting, signer, id, friends, ledger):
    if posting.kind in ("mint", "burn") or signer not in friends:
        return
    other = (friends - {signer}).pop()
    if posting.kind == "split":
        if other in [payee for payee, _, _ in posting.order[5]]:
            yield sha256(b"sealwire/split-message/1\x00" + id + str(other).encode()).digest()[:16]
    elif posting.kind in ("pay", "hold"):
        if posting.order[2] == other:
            yield id
    else:
        original = ledger.transfers.get((posting.order[2], posting.order[3]))
        if original is not None and {original.signer, signer} == friends:
            yield id
