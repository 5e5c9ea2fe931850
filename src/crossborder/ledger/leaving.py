"""Of which messages a byte may have left. What certainly never left can be given up, and answered by nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select

from crossborder.ledger import tables
from crossborder.ledger.dialects import chunks
from crossborder.ledger.resuming import DAMAGED
from crossborder.ledger.states import NOT_RECEIVED, SENDING

E = tables.events


def may_have_left(connection: Connection, sends: Mapping[int, int]) -> set[int]:
    """Of messages, each with how often a sender has taken it: those that were not each time given back, or not handed
    over at all."""
    tried = {number: count for number, count in sends.items() if count}
    for block in chunks(tried):
        found = connection.execute(
            select(E.c.attempt_id, E.c.verb, E.c.detail)
            .where(E.c.attempt_id.in_(block), E.c.verb.in_(("answered", DAMAGED)))
            .where(E.c.from_state == SENDING)
        )
        for number, verb, detail in found:
            if verb == DAMAGED or json.loads(detail).get("outcome") == NOT_RECEIVED:
                tried[number] -= 1
    return {number for number, count in tried.items() if count > 0}
