"""Somebody who talks, to be killed in the middle of it and started again with the same words. FOLDER holds an installation of each name.

    python3 talk.py join FOLDER NAME LINK
    python3 talk.py accept FOLDER NAME OTHER                 prints the number of the conversation
    python3 talk.py enter FOLDER NAME SECRET                 joins a room, prints its number
    python3 talk.py talk FOLDER NAME CONVERSATION COUNT WANTED
        says "NAME 0" to "NAME COUNT-1", each once, and `said N` behind each; ends when WANTED messages of others are stored, and
        prints what it has of the conversation: a line [place, author, text] for each message
"""

import json
import pathlib
import sys

from sealwire_installation import Installation


def talk(me, conversation, count, wanted):
    me.flush()  # What the life before was about to say.
    for number in range(count):
        if number >= said(me, conversation):
            me.say({"conversation": conversation}, f"{me.fact('name')} {number}")
        print(f"said {number}")
    me.receive(lambda: heard(me, conversation) >= wanted)
    me.acknowledge()
    arrivals = [arrival for (arrival,) in me.entries(conversation, "arrival") if arrival is not None]
    assert arrivals == sorted(arrivals), "they did not come in the order of their places"
    for each in messages(me, conversation):
        print(json.dumps(each))


def messages(me, conversation):
    rows = me.entries(conversation, "place, author, body, kind")
    return [(place, author, body.decode()) for place, author, body, kind in rows if kind == "message"]


def said(me, conversation):
    return counted(me, "author = ?", conversation)


def heard(me, conversation):
    return counted(me, "author <> ?", conversation)


def counted(me, whose, conversation):
    query = f"select count(*) from entry where {whose} and conversation = ? and kind = 'message'"
    return me.database.execute(query, (me.fact("name"), conversation)).fetchone()[0]


def main(what, folder, name, *rest):
    me = Installation(pathlib.Path(folder) / f"{name}.db")
    if what == "join":
        me.join(rest[0], name)
    if what == "accept":
        print(me.call("contact.accept", name=rest[0])["conversation"])
    if what == "enter":
        print(me.call("room.join", secret=bytes.fromhex(rest[0]))["conversation"])
    if what == "talk":
        talk(me, *map(int, rest))
    me.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
