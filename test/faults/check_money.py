"""Reads the journals of payers, the export of a ledger and its database, and says what is wrong with them: check_money.py FOLDER

It was written from docs/protocol/ledger.md and payments.md and shares no code with server or SDK. In the folder are plan.json, the
journals (money-journal.ts, money-operator.ts), ledger.jsonl as `sealwire ledger export` prints it, and disk/data/sealwire.db.

  chain      postings have the numbers 1, 2, 3, …, each hash is that of the one before and the row, the line says what the row says
  sum        of every posting, and of all balances of a unit after it: 0
  floor      nobody is below what they may owe, after any posting; what is on hold is never negative
  legs       who pays whom how much is what was signed, or what the operator has done; each (signer, id) once
  hold       a hold ends once, with what was held: captured and given back; not after its time, or only then
  refund     over all refunds of a payment never more than was paid
  bound      in a day never more than the operator allowed at that time; nothing of a frozen account moves
  once       what was acknowledged is in the ledger exactly as acknowledged
  refused    what was refused is not in the ledger
  unknown    everything has an outcome in the end, and never two
  unsaid     what nobody was going to order is not in the ledger
  database   balances, postings, legs and transfers in it are those that follow from the postings
  request    never more is paid than was asked
  message    two who talk to each other have one message for each payment between them, and nobody else has any

Prints counts and the first problems as one JSON object. The exit code is 1 when there are problems.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from money_books import Books
from money_ledger import Ledger, minor

SHOWN = 5
DAY_MS = 86_400_000
SPENDING = {"pay", "split", "hold", "refund"}
# Of these a frozen account has some: money of holds comes back, and the operator can do what it wants.
WHILE_FROZEN = {"mint", "burn", "void", "expire"}


class Problems:
    def __init__(self):
        self.found = defaultdict(list)

    def __call__(self, rule, *words):
        self.found[rule].append(" ".join(str(word) for word in words))


def lines_of(path):
    """What is behind the last line's end was cut off while it was written; who never did anything has no journal."""
    if not path.exists():
        return
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


class Journals:
    def __init__(self, folder, plan, ledger, problem):
        self.problem = problem
        self.ledger = ledger
        self.counts = Counter()
        self.codes = Counter()
        self.intended = set()
        self.requests = {}
        # (account, digest) → posting, or None where it was refused: the same for everybody who ordered it.
        self.verdicts = {}
        for payer in plan["payers"]:
            self.read(payer["account"], folder / payer["journal"])
        for account, said in list(self.verdicts.items()):
            if len(said) > 1:
                problem("unknown", account, "was refused and carried out, or carried out twice:", sorted(said, key=str))

    def read(self, account, path):
        attempts, outcomes, lost = {}, {}, set()
        for line in lines_of(path):
            if "wrong" in line:
                self.problem("unknown", path.name, "noted", line["wrong"])
            elif "kind" in line:
                if line["n"] in attempts:
                    self.problem("unknown", path.name, "has attempt", line["n"], "twice")
                attempts[line["n"]] = line
            elif "lost" in line:
                lost.add(line["n"])
            else:
                if outcomes.setdefault(line["n"], line) != line:
                    self.problem("unknown", path.name, "has two outcomes of", line["n"])
        for n, attempt in attempts.items():
            self.judge(account, path.name, attempt, outcomes.get(n))
        self.counts["resolved"] += len(lost & outcomes.keys())
        for n in (outcomes.keys() | lost) - attempts.keys():
            self.problem("unknown", path.name, "has an outcome of", n, "that was never tried")

    def judge(self, account, name, attempt, outcome):
        self.counts["attempts"] += 1
        where = (name, attempt["n"])
        if outcome is None:
            return self.problem("unknown", where, "has no outcome")
        if "code" in outcome:
            self.codes[outcome["code"]] += 1
        self.counts["refused" if "code" in outcome else "acknowledged"] += 1
        if attempt["kind"] == "request":
            if attempt["id"] in self.requests:
                self.problem("unknown", where, "uses the id of another request")
            self.requests[attempt["id"]] = (account, attempt, "code" not in outcome)
            return
        key = (account, attempt["digest"])
        self.counts["repeated"] += key in self.intended
        self.intended.add(key)
        self.verdicts.setdefault(key, set()).add(outcome.get("posting"))
        posting = self.ledger.by_digest.get(attempt["digest"])
        if "code" in outcome:
            if posting is not None:
                self.problem("refused", where, "was refused with", outcome["code"], "and is posting", posting.seq)
        elif posting is None:
            self.problem("once", where, "was acknowledged as posting", outcome["posting"], "and is nowhere")
        else:
            self.compare(account, where, attempt, outcome, posting)

    def compare(self, account, where, attempt, outcome, posting):
        acknowledged = (outcome["posting"], minor(outcome["amount"], 2))
        if acknowledged != (posting.seq, posting.amount):
            self.problem("once", where, "was acknowledged as", acknowledged, "and is", (posting.seq, posting.amount))
        meant = (account, attempt["kind"], attempt["id"])
        if meant != (posting.signer, posting.kind, posting.id.hex()):
            self.problem("once", where, "is another order than posting", posting.seq)
        if not self.is_meant(attempt, posting):
            self.problem("once", where, "ordered something else than posting", posting.seq, "has")

    @staticmethod
    def is_meant(attempt, posting):
        order, kind = posting.order, posting.kind
        if kind in ("pay", "hold"):
            return (order[2], order[4], order[6]) == (attempt["to"], attempt["amount"], attempt["expires"])
        if kind == "split":
            return [[payee, amount] for payee, amount, _ in order[5]] == attempt["parts"]
        if [order[2], order[3].hex()] != attempt["of"]:
            return False
        return kind == "void" or order[4] == attempt["amount"]


class Operator:
    def __init__(self, path, ledger, problem):
        self.ledger = ledger
        self.problem = problem
        self.attempts = {}
        self.outcomes = {}
        for line in lines_of(path):
            (self.attempts if "kind" in line else self.outcomes)[line["n"]] = line
        self.intended = {}
        for n, attempt in self.attempts.items():
            if attempt["kind"] in ("mint", "burn"):
                self.judge(attempt, self.outcomes.get(n))

    def judge(self, attempt, outcome):
        self.intended[attempt["id"]] = attempt
        posting = self.ledger.transfers.get((0, bytes.fromhex(attempt["id"])))
        if outcome is None:
            return self.problem("unknown", "the operator's", attempt["n"], "has no outcome")
        if "code" in outcome:
            if posting is not None:
                self.problem("refused", "the operator's", attempt["n"], "was refused and is posting", posting.seq)
        elif posting is None or (posting.seq, posting.kind, posting.amount) != (outcome["posting"], attempt["kind"], attempt["amount"]):
            self.problem("once", "the operator's", attempt["n"], "is not in the ledger as it was acknowledged")
        elif attempt["account"] not in [holder for holder, _ in posting.moves()]:
            self.problem("once", "the operator's", attempt["n"], "went to somebody else")

    def check_bounds(self):
        bounds = [(each["at"], each["account"], each["amount"]) for each in self.attempts.values() if each["kind"] == "bound"]
        if not bounds:
            return
        account = bounds[0][1]
        spent = Counter()
        for posting in self.ledger.postings.values():
            if posting.signer != account or posting.kind not in SPENDING:
                continue
            spent[posting.at // DAY_MS] += posting.amount
            bound = max((amount for at, _, amount in bounds if at <= posting.at), default=None)
            if bound is not None and spent[posting.at // DAY_MS] > bound:
                self.problem("bound", "posting", posting.seq, "brings", account, "to", spent[posting.at // DAY_MS], "of", bound)

    def check_frozen(self):
        """From the moment at which a freeze was acknowledged to that at which its end was asked for."""
        frozen = defaultdict(list)
        begun = {}
        for n in sorted(self.attempts):
            attempt, outcome = self.attempts[n], self.outcomes.get(n)
            if attempt["kind"] == "freeze" and outcome is not None and "code" not in outcome:
                begun[attempt["account"]] = outcome["at"]
            elif attempt["kind"] == "thaw" and attempt["account"] in begun:
                frozen[attempt["account"]].append((begun.pop(attempt["account"]), attempt["at"]))
        for posting in self.ledger.postings.values():
            if posting.kind in WHILE_FROZEN:
                continue
            for holder, _ in posting.moves():
                if any(since < posting.at < until for since, until in frozen.get(holder, ())):
                    self.problem("bound", "posting", posting.seq, "moves something of", holder, "which is frozen")


def check_unsaid(ledger, journals, operator, problem):
    for posting in ledger.postings.values():
        if posting.kind in ("mint", "burn"):
            if posting.id.hex() not in operator.intended:
                problem("unsaid", "posting", posting.seq, "was never the operator's wish")
        elif posting.kind != "expire" and (posting.signer, posting.digest) not in journals.intended:
            problem("unsaid", "posting", posting.seq, "was never ordered by", posting.signer)


def check(folder):
    problem = Problems()
    plan = json.loads((folder / "plan.json").read_text())
    ledger = Ledger(plan, problem)
    ledger.read(folder / "ledger.jsonl")
    journals = Journals(folder, plan, ledger, problem)
    operator = Operator(folder / "operator.jsonl", ledger, problem)
    operator.check_bounds()
    operator.check_frozen()
    check_unsaid(ledger, journals, operator, problem)
    database = folder / "disk" / "data" / "sealwire.db"
    if database.exists():
        Books(database, ledger, problem).check(journals, plan)
    else:
        problem("database", "is missing")
    return {
        **{name: journals.counts[name] for name in ("attempts", "acknowledged", "refused", "resolved", "repeated")},
        "codes": dict(journals.codes),
        "postings": len(ledger.postings),
        "kinds": dict(ledger.kinds),
        "problems": {rule: len(each) for rule, each in problem.found.items()},
        "first": [f"{rule}: {each}" for rule, all in problem.found.items() for each in all[:SHOWN]],
    }


if __name__ == "__main__":
    report = check(Path(sys.argv[1]))
    print(json.dumps(report))
    sys.exit(1 if report["problems"] else 0)
