"""Documents in pieces: cut, parted, thinned out, their bytes stay those of the single documents."""

from __future__ import annotations

import hashlib
import random

from crossborder.ledger.bodies import Payload, Run


def pieces(draw: random.Random, bodies: list[bytes]) -> list[Run]:
    """The documents one after another, some together, some alone."""
    runs: list[Run] = []
    at = 0
    while at < len(bodies):
        count = draw.randint(1, 4)
        joined = b"".join(bodies[at : at + count])
        runs.append(draw.choice([joined, memoryview(joined)]))
        at += count
    return runs


def test_whatever_is_taken_of_documents_has_their_bytes_and_digests() -> None:
    draw = random.Random(7)
    for _ in range(300):
        bodies = [draw.randbytes(draw.choice([0, 1, 5, 40])) for _ in range(draw.randint(0, 12))]
        payload = Payload.cut(pieces(draw, bodies), [len(body) for body in bodies])
        first = draw.randint(0, len(bodies))
        stop = draw.randint(first, len(bodies))
        dropped = {n for n in range(len(bodies)) if draw.random() < 0.4}
        for taken, kept in (
            (payload, bodies),
            (payload.part(first, stop), bodies[first:stop]),
            (payload.without(dropped), [b for n, b in enumerate(bodies) if n not in dropped]),
        ):
            assert b"".join(taken.runs) == b"".join(kept)
            assert taken.size == sum(map(len, kept))
            assert list(taken.lengths) == [len(body) for body in kept]
            assert list(taken.digests) == [hashlib.sha256(body).hexdigest() for body in kept]
            assert taken == Payload.of(kept)
