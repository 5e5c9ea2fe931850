"""What the schema says, as plain values: elements, groups, messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossborder.errors import SchemaError


@dataclass(frozen=True, slots=True)
class Element:
    """One element that holds text.

    `base` is the built-in XSD type ("string", "decimal") under `type_name`, the named simple type (empty if it has
    no name). Lengths count code points; `None` means the facet is absent. `pattern` is an XSD regular expression.
    `total_digits` and `fraction_digits` of a string come from the note `digits` in the annotation of its type: the
    text holds DECIMAL(total, fraction). `min_occurs` is 0 where the element may be left out.
    """

    name: str
    group: str
    base: str
    type_name: str = ""
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    enumeration: tuple[str, ...] = ()
    min_occurs: int = 1
    label_zh: str = ""
    meaning_en: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Elements that repeat together. `max_occurs` is `None` where any number is allowed.

    A message whose elements stand directly below its root has one group that is called like the message.
    """

    name: str
    parent: str
    min_occurs: int
    max_occurs: int | None
    elements: tuple[Element, ...]
    label_zh: str = ""
    meaning_en: str = ""

    @property
    def once(self) -> bool:
        """True for a head: there exactly one time."""
        return self.min_occurs == 1 and self.max_occurs == 1


@dataclass(frozen=True, slots=True)
class ElementTree:
    """One message: its groups in schema order, each with its elements in schema order."""

    message: str
    root: str
    groups: tuple[Group, ...]
    label_zh: str = ""
    meaning_en: str = ""

    def group(self, name: str) -> Group:
        """The group of that name. Raises `SchemaError` if there is none."""
        for group in self.groups:
            if group.name == name:
                return group
        raise SchemaError(
            f"the message has no group {name!r}", f"报文中没有 {name!r} 这一组", place=self.message
        )

    def find(self, group: str, element: str) -> Element | None:
        """The element of that name in that group, if there is one."""
        return next((e for e in self.group(group).elements if e.name == element), None)

    def resolve(self, group: str, element: str) -> Element | None:
        """The element that a condition in `group` means: of the group itself, else of a head."""
        here = self.find(group, element)
        if here is not None:
            return here
        return next(
            (e for g in self.groups if g.once for e in g.elements if e.name == element), None
        )

    def __iter__(self) -> Iterator[Element]:
        """All elements of all groups."""
        return (element for group in self.groups for element in group.elements)
