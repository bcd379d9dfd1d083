"""Reads the journals of a run and says what is wrong with them: check.py FOLDER

It knows nothing of the server or the SDK, only of files: plan.json, and for each device sent.jsonl (what it was going to say, what
was acknowledged), inbox.jsonl (what arrived) and, for some, history.jsonl (what the server has). Each line is a JSON object.

  once       what was acknowledged is at every device it was meant for, once, and not at others
  words      as it was said, by who said it, in the conversation and at the place of the acknowledgement
  order      by its place in the conversation and by its arrival: the same for everybody; each sender's own order is kept
  twice      nothing is twice anywhere, acknowledged or not; the inbox only goes forward
  unsaid     what nobody was going to say is nowhere
  history    is without gaps, the same for everybody, and has what was acknowledged and what arrived

Prints counts and the first problems as one JSON object. The exit code is 1 when there are problems.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

SHOWN = 20


class Run:
    def __init__(self, folder):
        plan = json.loads((folder / "plan.json").read_text())
        self.conversations = {each["conversation"]: each for each in plan["conversations"]}
        self.devices = [(name, device) for name, count in plan["devices"].items() for device in range(count)]
        self.problems = defaultdict(list)
        self.sent = {each: read(folder, each, "sent.jsonl") for each in self.devices}
        self.inbox = {each: read(folder, each, "inbox.jsonl") for each in self.devices}
        self.history = {each: read(folder, each, "history.jsonl") for each in self.devices}
        self.intended = {}
        self.acked = {}
        # (conversation, place) → id: the one order.
        self.places = {}

    def problem(self, rule, *words):
        self.problems[rule].append(" ".join(str(word) for word in words))

    def place(self, rule, line, where):
        """The same place is the same entry, for everybody."""
        at = (line["conversation"], line["seq"])
        if self.places.setdefault(at, line["id"]) != line["id"]:
            self.problem(rule, where, "has", line["id"], "at", at, "where others have", self.places[at])


def read(folder, device, name):
    path = folder / device[0] / str(device[1]) / name
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    # What is behind the last line's end was cut off while it was written.
    return [json.loads(line) for line in lines[:-1]]


def read_sent(run):
    for device, lines in run.sent.items():
        for line in lines:
            if "intend" in line:
                if line["intend"] in run.intended:
                    run.problem("twice", device, "intended", line["intend"], "twice")
                run.intended[line["intend"]] = (device, line["to"], line["text"])
            elif "ack" in line:
                known = run.acked.setdefault(line["ack"], (line["conversation"], line["seq"]))
                if known != (line["conversation"], line["seq"]):
                    run.problem("order", line["ack"], "was acknowledged at", known, "and as", line)
            else:
                run.problem("once", device, "was refused", line)


def check_sent(run):
    """Each sender's own order is that of the conversation, and an acknowledgement names the conversation that was meant."""
    for device, lines in run.sent.items():
        newest = {}
        for line in lines:
            if "intend" not in line or line["intend"] not in run.acked:
                continue
            conversation, seq = run.acked[line["intend"]]
            planned = run.conversations.get(conversation)
            if not is_meant(planned, device[0], line["to"]):
                run.problem("words", device, "said", line["intend"], "to", line["to"], "and it went to", conversation)
            if newest.get(conversation, 0) >= seq:
                run.problem("order", device, "said", line["intend"], "later, but it is before", newest[conversation])
            newest[conversation] = max(newest.get(conversation, 0), seq)
            run.place("order", {"conversation": conversation, "seq": seq, "id": line["intend"]}, device)


def is_meant(planned, sender, to):
    if planned is None or sender not in planned["members"]:
        return False
    if isinstance(to, int):
        return planned["conversation"] == to
    return planned["kind"] == "direct" and set(planned["members"]) == {sender, to}


def check_message(run, line, where):
    """Somebody was going to say exactly this, here."""
    said = run.intended.get(line["id"])
    if said is None:
        return run.problem("unsaid", where, "has", line["id"], "which nobody said")
    (sender, _), to, text = said
    if line["from"] != sender or line.get("text") != text:
        run.problem("words", where, "has", line["id"], "not as it was said")
    if not is_meant(run.conversations.get(line["conversation"]), sender, to):
        run.problem("words", where, "has", line["id"], "in conversation", line["conversation"])
    place = (line["conversation"], line["seq"])
    if line["id"] in run.acked and run.acked[line["id"]] != place:
        run.problem("order", where, "has", line["id"], "at", place, "acknowledged at", run.acked[line["id"]])


def check_inbox(run, device, lines):
    position, newest, seen = 0, {}, set()
    for line in lines:
        if "lost" in line:
            run.problem("once", device, "lost what was up to", line["lost"])
            continue
        if line["position"] <= position:
            run.problem("twice", device, "is at", position, "and goes back to", line["position"])
        position = line["position"]
        conversation = line["conversation"]
        if line["seq"] <= newest.get(conversation, 0):
            run.problem("order", device, "got", conversation, line["seq"], "after", newest[conversation])
        newest[conversation] = line["seq"]
        if line["id"] in seen and line["kind"] == "message":
            run.problem("twice", device, "got", line["id"], "twice")
        run.place("order", line, device)
        if line["kind"] == "message":
            seen.add(line["id"])
            check_message(run, line, device)
    return seen


def check_delivery(run, got):
    deliveries = 0
    meant = defaultdict(set)
    for id, (conversation, _) in run.acked.items():
        if id not in run.intended:
            run.problem("unsaid", "acknowledged", id, "which nobody said")
            continue
        sender = run.intended[id][0]
        members = run.conversations.get(conversation, {"members": []})["members"]
        for device in run.devices:
            if device[0] in members and device != sender:
                meant[device].add(id)
    for device in run.devices:
        deliveries += len(meant[device])
        for id in meant[device] - got[device]:
            run.problem("once", device, "never got", id, "acknowledged at", run.acked[id])
        for id in got[device] - meant[device]:
            if id in run.acked:
                run.problem("once", device, "got", id, "which was not meant for it")
    # What was stored and never acknowledged is there for everybody, or for nobody.
    for id in set().union(*got.values()) - run.acked.keys() if got else set():
        run.problem("once", id, "has arrived, and was not acknowledged in the end")
    return deliveries


def check_history(run, got):
    seen = {}
    for device, lines in run.history.items():
        if not lines:
            continue
        places = defaultdict(list)
        for line in lines:
            places[line["conversation"]].append(line["seq"])
            run.place("history", line, f"history of {device}")
            if line["kind"] == "message":
                check_message(run, line, f"history of {device}")
        ids = [line["id"] for line in lines if line["kind"] == "message"]
        if len(ids) != len(set(ids)):
            run.problem("history", device, "has something twice in its history")
        for conversation, seqs in places.items():
            if seqs != list(range(1, len(seqs) + 1)):
                run.problem("history", device, "has gaps in the history of", conversation)
            if seen.setdefault(conversation, len(seqs)) != len(seqs):
                run.problem("history", device, "has", len(seqs), "entries of", conversation, "and others", seen[conversation])
        for id in got[device] - set(ids):
            run.problem("history", device, "got", id, "which is not in its history")
        mine = {id for id, (place, _) in run.acked.items() if device[0] in run.conversations.get(place, {"members": []})["members"]}
        for id in mine - set(ids):
            run.problem("history", device, "does not have", id, "in its history, which was acknowledged")


def check(folder):
    run = Run(folder)
    read_sent(run)
    check_sent(run)
    got = {device: check_inbox(run, device, lines) for device, lines in run.inbox.items()}
    deliveries = check_delivery(run, got)
    check_history(run, got)
    return {
        "intended": len(run.intended),
        "acknowledged": len(run.acked),
        "deliveries": deliveries,
        "arrived": sum(len(each) for each in got.values()),
        "history": sum(len(each) for each in run.history.values()),
        "problems": {rule: len(each) for rule, each in run.problems.items()},
        "first": [f"{rule}: {each}" for rule, all in run.problems.items() for each in all[:SHOWN]],
    }


if __name__ == "__main__":
    report = check(Path(sys.argv[1]))
    print(json.dumps(report))
    sys.exit(1 if report["problems"] else 0)
