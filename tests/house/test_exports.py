"""The public interface: exported names are a promise."""

from __future__ import annotations

import crossborder

EXPORTED = {
    "Checked", "Composed", "CrossborderError", "Engine", "Operator", "Profile", "Receipts", "Shipments",
    "Taxed", "__version__", "check", "compose", "read_receipts", "tax",
}  # fmt: skip


def test_exported_names_are_exactly_these() -> None:
    assert set(crossborder.__all__) == EXPORTED
    assert set(dir(crossborder)) == EXPORTED


def test_every_exported_name_is_there() -> None:
    for name in EXPORTED:
        assert getattr(crossborder, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(crossborder, "nothing_of_this_name")
