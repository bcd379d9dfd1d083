"""The ledger, from its postings alone: read from an export, every row against the one before it, every balance computed anew."""

import json
from collections import Counter, defaultdict
from hashlib import sha256

from cbor2 import loads


class Posting:
    """One row of the ledger."""

    __slots__ = ("seq", "at", "kind", "unit", "decimals", "legs", "settles", "signer", "id", "order", "digest", "amount", "left", "parts")

    def __init__(self, row):
        version, self.seq, self.at, self.kind, self.unit, self.decimals, self.legs, self.settles, self.signer, self.id, signed, _ = row
        self.digest = sha256(signed).hexdigest() if signed is not None else None
        self.order = loads(loads(signed)[2]) if signed is not None else None
        # What can still be refunded, or is on hold.
        self.left = 0
        self.parts = None
        self.amount = 0

    def moves(self):
        """Holder and delta of each leg, in their order."""
        return [(holder, delta) for _, holder, delta in self.legs]


class Ledger:
    def __init__(self, plan, problem):
        self.problem = problem
        self.credit = {int(account): minor for account, minor in plan["credit"].items()}
        self.postings = {}
        self.transfers = {}
        self.by_digest = {}
        self.balances = defaultdict(int)
        self.holders = {}
        self.totals = Counter()
        self.kinds = Counter()
        # (unit, which) → ledger account of the operator.
        self.own = {}
        self.ended = {}
        self.status = {}
        self.hash = bytes(32)

    def read(self, path):
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                said = json.loads(line)
                row = bytes.fromhex(said["row"])
                if said["posting"] != number:
                    self.problem("chain", "line", number, "has posting", said["posting"])
                self.hash = sha256(self.hash + row).digest()
                if self.hash.hex() != said["hash"]:
                    self.problem("chain", "the hash of posting", said["posting"], "does not follow from the one before")
                    self.hash = bytes.fromhex(said["hash"])
                self.add(Posting(loads(row)), said)

    def add(self, posting, said):
        self.kinds[posting.kind] += 1
        shown = (posting.seq, posting.kind, posting.unit, posting.signer, posting.id.hex(), posting.settles)
        told = (said["posting"], said["kind"], said["unit"], said["signer"], said["id"].replace("-", ""), said.get("settles"))
        legs = [[each["ledgerAccount"], each["account"], minor(each["delta"], posting.decimals)] for each in said["legs"]]
        if shown != told or [list(leg) for leg in posting.legs] != legs:
            self.problem("chain", "the line of posting", posting.seq, "says something else than its row")
        self.move(posting)
        self.postings[posting.seq] = posting
        if posting.digest is not None:
            self.by_digest[posting.digest] = posting
        if posting.kind == "expire":
            return self.end_hold(posting, "expired")
        if (posting.signer, posting.id) in self.transfers:
            self.problem("legs", "posting", posting.seq, "has the signer and the id of", self.transfers[posting.signer, posting.id].seq)
        self.transfers[posting.signer, posting.id] = posting
        if (posting.order is None) != (posting.kind in ("mint", "burn")):
            return self.problem("legs", "posting", posting.seq, "is signed, or not, as its kind is not")
        getattr(self, posting.kind)(posting)

    def move(self, posting):
        if sum(delta for _, _, delta in posting.legs) != 0:
            self.problem("sum", "the legs of posting", posting.seq, "have another sum than 0")
        accounts = {account for account, _, _ in posting.legs}
        if len(accounts) != len(posting.legs) or any(delta == 0 for _, _, delta in posting.legs):
            self.problem("legs", "posting", posting.seq, "moves nothing, or twice on one account")
        for account, holder, delta in posting.legs:
            if self.holders.setdefault(account, (posting.unit, holder)) != (posting.unit, holder):
                self.problem("legs", "posting", posting.seq, "gives ledger account", account, "to", holder)
            self.balances[account] += delta
            self.totals[posting.unit] += delta
            if self.balances[account] < self.floor_of(posting, account, holder):
                self.problem("floor", "posting", posting.seq, "brings", holder or account, "to", self.balances[account])
        if self.totals[posting.unit] != 0:
            self.problem("sum", "all balances are", self.totals[posting.unit], "after posting", posting.seq)

    def floor_of(self, posting, account, holder):
        if holder != 0:
            return -self.credit.get(holder, 0)
        return -(10**18) if self.own.get((posting.unit, "issuance"), account) == account and posting.kind in ("mint", "burn") else 0

    def own_account(self, posting, which):
        """The one leg on an account of the operator's: always the same account."""
        own = [(account, delta) for account, holder, delta in posting.legs if holder == 0]
        if len(own) != 1 or self.own.setdefault((posting.unit, which), own[0][0]) != own[0][0]:
            self.problem("legs", "posting", posting.seq, "is not on the account for", which)
            return 0
        return own[0][1]

    def expect(self, posting, *moves):
        if sorted(posting.moves()) != sorted(moves):
            self.problem("legs", "posting", posting.seq, "moves", posting.moves(), "and not", moves)

    def mint(self, posting):
        posting.amount = -self.own_account(posting, "issuance")
        holder = next((holder for _, holder, _ in posting.legs if holder != 0), None)
        self.expect(posting, (0, -posting.amount), (holder, posting.amount))
        if posting.amount <= 0 or posting.signer != 0:
            self.problem("legs", "posting", posting.seq, "mints", posting.amount, "for", posting.signer)

    def burn(self, posting):
        posting.amount = self.own_account(posting, "issuance")
        holder = next((holder for _, holder, _ in posting.legs if holder != 0), None)
        self.expect(posting, (0, posting.amount), (holder, -posting.amount))
        if posting.amount <= 0 or posting.signer != 0:
            self.problem("legs", "posting", posting.seq, "burns", posting.amount, "for", posting.signer)

    def given(self, posting):
        _, payer, payee, unit, amount, id, expires, _ = posting.order
        if (payer, unit, id) != (posting.signer, posting.unit, posting.id) or posting.at >= expires:
            self.problem("legs", "posting", posting.seq, "is not what was signed, or came after", expires)
        posting.amount = posting.left = amount
        return payer, payee, amount

    def pay(self, posting):
        payer, payee, amount = self.given(posting)
        self.expect(posting, (payer, -amount), (payee, amount))

    def hold(self, posting):
        payer, _, amount = self.given(posting)
        self.own_account(posting, "held")
        self.expect(posting, (payer, -amount), (0, amount))
        self.status[posting.seq] = "pending"

    def split(self, posting):
        _, payer, unit, id, expires, parts = posting.order
        if (payer, unit, id) != (posting.signer, posting.unit, posting.id) or posting.at >= expires:
            self.problem("legs", "posting", posting.seq, "is not what was signed, or came after", expires)
        posting.amount = sum(amount for _, amount, _ in parts)
        posting.parts = {payee: amount for payee, amount, _ in parts}
        self.expect(posting, (payer, -posting.amount), *[(payee, amount) for payee, amount, _ in parts])

    def capture(self, posting):
        _, payee, holder, hold_id, amount, id = posting.order
        hold = self.end_hold(posting, "posted", (holder, hold_id))
        posting.amount = amount
        if hold is None:
            return
        _, payer, meant, _, held, _, expires, _ = hold.order
        if (payee, id, meant) != (posting.signer, posting.id, payee) or posting.at >= expires or not 1 <= amount <= held:
            self.problem("hold", "posting", posting.seq, "captures", amount, "of", held, "as", payee, "at", posting.at)
        back = [(payer, held - amount)] if held != amount else []
        self.expect(posting, (0, -held), (payee, amount), *back)
        hold.left = amount

    def void(self, posting):
        _, actor, holder, hold_id, id = posting.order
        hold = self.end_hold(posting, "voided", (holder, hold_id))
        if hold is None:
            return
        _, payer, payee, _, held, _, expires, _ = hold.order
        posting.amount = held
        if (actor, id) != (posting.signer, posting.id) or not (actor == payee or (actor == payer and posting.at >= expires)):
            self.problem("hold", "posting", posting.seq, "voids a hold as", actor)
        self.expect(posting, (0, -held), (payer, held))

    def end_hold(self, posting, status, named=None):
        """The hold that a posting ends; an expiry has its signer and id."""
        hold = self.transfers.get(named or (posting.signer, posting.id))
        if hold is None or hold.kind != "hold" or posting.settles != hold.seq:
            self.problem("hold", "posting", posting.seq, "ends what is no hold")
            return None
        if hold.seq in self.ended:
            self.problem("hold", "posting", posting.seq, "ends the hold of", hold.seq, "again, after", self.ended[hold.seq])
        self.ended[hold.seq] = posting.seq
        self.status[hold.seq] = status
        self.own_account(posting, "held")
        hold.left = 0
        if status == "expired":
            if posting.at < hold.order[6]:
                self.problem("hold", "posting", posting.seq, "gives back", hold.seq, "before its time")
            self.expect(posting, (0, -hold.amount), (hold.signer, hold.amount))
        return hold

    def refund(self, posting):
        _, payee, payer, original_id, amount, id, _ = posting.order
        posting.amount = amount
        original = self.transfers.get((payer, original_id))
        if original is None or original.kind not in ("pay", "split", "hold") or posting.settles != original.seq:
            return self.problem("refund", "posting", posting.seq, "refunds what is no payment")
        if (payee, id) != (posting.signer, posting.id):
            self.problem("legs", "posting", posting.seq, "is not what was signed")
        self.expect(posting, (payee, -amount), (payer, amount))
        if original.parts is not None:
            original.parts[payee] = original.parts.get(payee, 0) - amount
            left = original.parts[payee]
        else:
            original.left -= amount
            left = original.left if payee == original.order[2] else -1
        if left < 0:
            self.problem("refund", "posting", posting.seq, "brings the refunds of", original.seq, "over what was paid")


def minor(text, decimals):
    whole, _, places = text.lstrip("-").partition(".")
    value = int(whole + places.ljust(decimals, "0"))
    return -value if text.startswith("-") else value
