"""What lies on the disk instead of plain bytes: number of the data key, nonce, AES-256-GCM ciphertext and tag.

Every document, receipt, finding and note is sealed by itself, so that each can be read by itself, and is bound to its
place: what is moved elsewhere, exchanged or changed cannot be opened. Nonces are 96 random bits, drawn anew for each
sealing. A counter would have to survive crashes and restored backups: the end of a segment is cut off and written again
after a crash, and a counter that went back would use a nonce twice. Of 2**24 sealings under one data key, two have the
same nonce with a chance below 2**-49; `MOST` is where a data key must not be used any more (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from crossborder.ledger.bodies import Payload, Run

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NUMBER, NONCE, TAG = 4, 12, 16
OVERHEAD = NUMBER + NONCE + TAG
"""Bytes by which what is sealed is longer than what it holds."""
MOST = 2**32
"""Sealings under one key with random nonces; a batch has a key of its own and is far smaller."""
SEALED_TEXT = "aes:"
"""How a sealed text begins; JSON never does."""
SEALED_SEGMENT = ".aes.seg"
"""How the name of a segment ends whose documents are sealed; in every other segment they are plain."""
_RUN = 1024 * 1024
_HEAD = NUMBER + NONCE


class Unsealable(Exception):
    """Sealed bytes that are not what was sealed at this place with this key."""


class DataKey(NamedTuple):
    """A key that seals: its number in `data_keys`, what it is for, and its cipher."""

    number: int
    scope: str
    cipher: AESGCM


def cipher(key: bytes) -> AESGCM:
    """AES-256-GCM with this key. The package is loaded when the first is made."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def nonces(count: int) -> bytes:
    """Random nonces one after another, 12 bytes each."""
    return os.urandom(NONCE * count)


def place(kind: str, scope: str, *parts: object) -> bytes:
    """Where something lies, as its sealing is bound to it."""
    return "\0".join([kind, scope, *map(str, parts)]).encode("utf-8")


def seal(key: DataKey, plain: bytes, where: bytes) -> bytes:
    """`plain` sealed for a place."""
    nonce = nonces(1)
    return key.number.to_bytes(NUMBER, "big") + nonce + key.cipher.encrypt(nonce, plain, where)


def number_of(stored: bytes) -> int:
    """The number of the data key that sealed something. Raises `Unsealable`."""
    if len(stored) < OVERHEAD:
        raise Unsealable
    return int.from_bytes(stored[:NUMBER], "big")


def unseal(key: DataKey, stored: bytes, where: bytes) -> bytes:
    """What was sealed. Raises `Unsealable`."""
    from cryptography.exceptions import InvalidTag

    view = memoryview(stored)
    try:
        return key.cipher.decrypt(view[NUMBER : NUMBER + NONCE], view[NUMBER + NONCE :], where)
    except (InvalidTag, ValueError) as error:
        raise Unsealable from error


def seal_text(key: DataKey, text: str, where: bytes) -> str:
    """A text sealed as a text."""
    sealed = seal(key, text.encode("utf-8"), where)
    return SEALED_TEXT + base64.b64encode(sealed).decode("ascii")


def sealed_of(text: str) -> bytes | None:
    """The sealed bytes of a text, None if it is not sealed. Raises `Unsealable`."""
    if not text.startswith(SEALED_TEXT):
        return None
    try:
        return base64.b64decode(text[len(SEALED_TEXT) :], validate=True)
    except ValueError as error:
        raise Unsealable from error


class PassingKey:
    """A key that lives as long as this object and is written nowhere: for what is on the disk for a moment only."""

    def __init__(self) -> None:
        self._cipher: AESGCM | None = None

    def sealed(self, plain: bytes | memoryview) -> bytes:
        """`plain`, to be written to the disk."""
        if self._cipher is None:
            self._cipher = cipher(os.urandom(32))
        nonce = nonces(1)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def opened(self, stored: bytes) -> bytes:
        """What `sealed` was given. Raises `OSError` if the disk gives something else."""
        from cryptography.exceptions import InvalidTag

        view = memoryview(stored)
        try:
            if self._cipher is None:
                raise ValueError
            return self._cipher.decrypt(view[:NONCE], view[NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise OSError("not what was written") from error


# -- documents


def is_sealed(segment: str) -> bool:
    """Whether the documents of a segment are sealed."""
    return segment.endswith(SEALED_SEGMENT)


def document_place(scope: str, segment: str, offset: int, digest: str) -> bytes:
    """Where a document lies, and which it is: the digest of its plain bytes."""
    return _document(scope, segment) + offset.to_bytes(8, "big") + digest.encode("ascii")


def _document(scope: str, segment: str) -> bytes:
    return f"document\0{scope}\0{segment}\0".encode()


def seal_payload(
    payload: Payload, keys: Sequence[DataKey], segment: str, offsets: Sequence[int]
) -> list[Run]:
    """Documents sealed for their places, one after another, in runs of about a megabyte.

    `keys`: one for all of them, or one for each.
    """
    count = len(payload.lengths)
    heads = {key.number: key.number.to_bytes(NUMBER, "big") for key in keys}
    wheres = {key.number: _document(key.scope, segment) for key in keys}
    drawn, bodies = nonces(count), payload.bodies()
    runs: list[Run] = []
    for first, stop in _runs(payload.lengths):
        lengths = payload.lengths[first:stop]
        run = bytearray(sum(lengths) + OVERHEAD * len(lengths))
        view, at = memoryview(run), 0
        for n, length, body in zip(range(first, stop), lengths, bodies, strict=False):
            number, _, sealer = keys[0] if len(keys) == 1 else keys[n]
            nonce = drawn[NONCE * n : NONCE * n + NONCE]
            where = wheres[number] + offsets[n].to_bytes(8, "big") + payload.digests[n].encode()
            view[at : at + _HEAD] = heads[number] + nonce
            end = at + length + OVERHEAD
            sealer.encrypt_into(nonce, body, where, view[at + _HEAD : end])
            at = end
        runs.append(view)
    return runs


def _runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and stop of runs of documents."""
    first, size = 0, 0
    for stop, length in enumerate(lengths, 1):
        size += length
        if size >= _RUN:
            yield first, stop
            first, size = stop, 0
    if first < len(lengths):
        yield first, len(lengths)
