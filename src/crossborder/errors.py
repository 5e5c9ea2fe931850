"""Everything that ends a command with exit code 2, as one tree.

Bad rows never raise: they become findings. What is raised here means *nothing was changed*::

    CrossborderError
    ├── SettingsError        the settings file, an environment variable, a profile
    ├── InputError           a file that cannot be read at all
    │   └── MappingError     a file whose columns do not fit one mapping
    ├── SchemaError          packaged or replaced schema, filling or mapping data
    │   └── UnsupportedType  a simple type the columnar compiler refuses, with its reason
    ├── CodesError           a code or rate table that cannot be imported
    ├── LedgerError          the ledger, or what it is asked to do
    │   └── PayloadDamaged   bytes that are no longer the bytes that were stored
    │       └── PayloadErased   bytes whose key was destroyed on purpose
    ├── TransportError       an endpoint whose settings cannot work
    ├── NotFound             a batch, waybill, rule or table nobody knows
    └── MissingExtra         an optional package that is not installed
"""

from __future__ import annotations


class CrossborderError(Exception):
    """A clear message in two languages: what, where, and the remedy.

    `place` names file, row, column or settings key; `fix` is what to do about it. `str()` is English;
    `.text("zh")` is Chinese. None of the texts may hold personal data.
    """

    def __init__(
        self, en: str, zh: str = "", *, place: str = "", fix_en: str = "", fix_zh: str = ""
    ) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh or en
        self.place = place
        self.fix_en = fix_en
        self.fix_zh = fix_zh or fix_en

    def text(self, lang: str = "en") -> str:
        """The whole message on one line: place, what happened, remedy."""
        said, fix = (self.zh, self.fix_zh) if lang == "zh" else (self.en, self.fix_en)
        place = f"{self.place}: " if self.place else ""
        return f"{place}{said}" + (f" → {fix}" if fix else "")

    def __str__(self) -> str:
        return self.text("en")


class SettingsError(CrossborderError):
    """The settings cannot be used; `place` names the key or the file."""


class InputError(CrossborderError):
    """A file that cannot be read at all: missing, locked, empty, not what its name says."""


class MappingError(InputError):
    """No mapping, or more than one, fits the header of a file; or a mapping is itself wrong."""


class SchemaError(CrossborderError):
    """Schema, filling or mapping data that does not hold together."""


class UnsupportedType(SchemaError):
    """A simple type that is refused rather than guessed; `reason` is a stable name."""

    def __init__(self, reason: str, en: str, zh: str = "", *, place: str = "") -> None:
        super().__init__(en, zh, place=place)
        self.reason = reason


class CodesError(CrossborderError):
    """A code or rate table that cannot be imported or does not exist."""


class LedgerError(CrossborderError):
    """The ledger cannot do what it is asked; nothing was changed."""


class PayloadDamaged(LedgerError):
    """Stored bytes are short or differ from their digest; they are never sent and never composed again."""


class PayloadErased(PayloadDamaged):
    """Stored bytes whose data key was destroyed on purpose, on a known day: nobody can read them any more."""

    def __init__(self, day: str, place: str = "") -> None:
        super().__init__(
            f"erased on {day}: its key was destroyed, nobody can read it any more",
            f"已于 {day} 销毁：密钥已删除，任何人都无法再读取",
            place=place,
        )
        self.day = day


class TransportError(CrossborderError):
    """An endpoint cannot be spoken to as its settings say. (A refusal or a lost answer is data, not this.)"""


class NotFound(CrossborderError):
    """Nothing of that name: a batch, a waybill, a rule, a table, a mapping."""


class MissingExtra(CrossborderError):
    """An optional package is missing; one line names the command that installs it."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"this needs the package {package!r}",
            f"此功能需要软件包 {package!r}",
            fix_en=f"pip install 'crossborder[{extra}]'",
            fix_zh=f"请执行 pip install 'crossborder[{extra}]'",
        )
