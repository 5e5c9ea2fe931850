"""`Library`: all families under one `schemas/` folder, each file read at most once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

from lxml import etree

from crossborder.errors import NotFound, SchemaError
from crossborder.schema import reader, tables, words
from crossborder.schema.model import Element, ElementTree, Group
from crossborder.schema.tables import CodeRow, FillingRow

Form = Literal["written", "strict"]
ENVELOPE = "ENVELOPE"
"""Stands for the envelope where a message name is asked for: `filling`, `describe`."""

_BODY = ".body.xsd"
_ENVELOPE_BODY = "envelope.body.xsd"
T = TypeVar("T")


class Library:
    """The message families of one folder that holds `xsd/FAMILY/` and `filling/FAMILY/`.

    A message is known as soon as `xsd/FAMILY/MESSAGE.body.xsd` exists. Everything returned is immutable and read at
    most once; a library may be shared between threads (of a validator only the verdict, not its error log).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[str, ...], Any] = {}

    def _once(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        if key not in self._read:
            self._read[key] = make()
        found: T = self._read[key]
        return found

    def families(self) -> Mapping[str, str]:
        """Message → family. Raises `SchemaError` if a message stands in two families."""
        return self._once(("families",), self._families)

    def _families(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for body in sorted((self._folder / "xsd").glob(f"*/*{_BODY}")):
            if body.name == _ENVELOPE_BODY:
                continue
            message, family = body.name.removesuffix(_BODY), body.parent.name
            if found.setdefault(message, family) != family:
                raise SchemaError(
                    f"{message} stands in two families: {found[message]}, {family}",
                    f"{message} 同时出现在两个报文族：{found[message]}、{family}",
                )
        return MappingProxyType(found)

    def family(self, message: str) -> str:
        """The folder a message belongs to. Raises `NotFound` for a message nobody knows."""
        found = self.families().get(message)
        if found is None:
            known = ", ".join(sorted(self.families()))
            raise NotFound(
                f"no schema for the message {message!r}", f"没有报文 {message!r} 的模式",
                fix_en=f"known: {known}", fix_zh=f"已知报文：{known}",
            )  # fmt: skip
        return found

    def load_elements(self, message: str) -> ElementTree:
        """Groups and elements of a message, or of `ENVELOPE`, read from the XSD."""
        if message == ENVELOPE:
            return self._once(("tree", ENVELOPE), self._envelope_tree)
        path = self._xsd(self.family(message), f"{message}{_BODY}")
        return self._once(("tree", message), lambda: reader.read_message(path, message))

    def envelope_elements(self) -> tuple[Element, ...]:
        """The elements of the envelope: those of `EnvelopInfo`, then those of `SignedData`."""
        path = self._xsd("express", _ENVELOPE_BODY)
        return self._once(("envelope",), lambda: reader.read_envelope(path))

    def _envelope_tree(self) -> ElementTree:
        elements = self.envelope_elements()
        names = dict.fromkeys(e.group for e in elements)
        groups = (
            Group(name, "", 1, 1, tuple(e for e in elements if e.group == name)) for name in names
        )
        return ElementTree(ENVELOPE, "Package", tuple(groups))

    def xsd_path(self, message: str, form: str = "written") -> Path:
        """The XSD of a whole document in one form. Raises `NotFound` for an unknown message or form."""
        if form not in get_args(Form):
            raise NotFound(
                f"no form {form!r}: written or strict", f"没有 {form!r} 形式：written 或 strict"
            )
        return self._xsd(self.family(message), f"{message}.{form}.xsd")

    def validator(self, message: str, form: str = "written") -> etree.XMLSchema:
        """libxml2's validator for whole documents. Raises `SchemaError` if the XSD does not compile."""
        path = self.xsd_path(message, form)
        return self._once(("validator", message, form), lambda: _compiled(path))

    def filling(self, message: str) -> tuple[FillingRow, ...]:
        """What must be filled or empty, and when; also for `ENVELOPE`."""
        return self._table("filling", message, ".csv", tables.read_filling)

    def facet_rules(self, message: str) -> Mapping[tuple[str, str], str]:
        """Rule ids of facet violations by (element, facet), where they are not `XSD-<Element>-<facet>`."""
        return self._table("facets", message, ".facets.csv", tables.read_facet_rules)

    def code_lists(self, message: str) -> tuple[CodeRow, ...]:
        """Value lists, code tables and forms of the elements that hold codes."""
        return self._table("codes", message, ".codes.csv", tables.read_codes)

    def describe(self, message: str) -> list[words.Row]:
        """One row per element for people to read; the keys are listed at `words.rows`."""
        tree = self.load_elements(message)
        return words.rows(tree, self.filling(message), self.code_lists(message))

    def _table(
        self, kind: str, message: str, suffix: str, read: Callable[[Path, ElementTree], T]
    ) -> T:
        family = "express" if message == ENVELOPE else self.family(message)
        path = self._folder / "filling" / family / f"{message}{suffix}"
        return self._once((kind, message), lambda: read(path, self.load_elements(message)))

    def _xsd(self, family: str, name: str) -> Path:
        path = self._folder / "xsd" / family / name
        if not path.is_file():
            raise NotFound(
                f"the schema is missing: {family}/{name}", f"缺少模式文件：{family}/{name}"
            )
        return path


def _compiled(path: Path) -> etree.XMLSchema:
    try:
        return etree.XMLSchema(etree.parse(str(path), reader.parser()))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
        raise SchemaError(
            f"the schema does not compile: {error}", "模式文件无法编译", place=path.name
        ) from error
