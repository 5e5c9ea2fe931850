"""Documents of the Chinese party: resident identity numbers, passports, permits (`party_id`).

None of the texts shows the number. Texts are short on purpose: the value stands in the finding's own column,
which reports mask.
"""

from __future__ import annotations

import polars as pl

from crossborder.rules.checksums import USCC_FORM, uscc_good
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Parcel, rule

_FIX = ("请核对身份证号码", "check the identity number")
_FIFTEEN = r"^[0-9]{15}$"
_AT_MOST = 20  # the facet's length; longer values are its business


def _typed(kind: str) -> pl.Expr:
    return (pl.col("_class") == "B") & (pl.col("party_id_type") == kind)


def _untyped() -> pl.Expr:
    """Classes whose document type must stay empty: a number that looks like one is only noted."""
    return pl.col("_class").is_in(["A", "C", "D"]) & pl.col("party_id_type").is_null()


@rule(
    "ID-01",
    title=("身份证号码校验", "Check of the resident identity number"),
    applies="all",
    fields="SendId;SendIdType",
    source="GB 11643-1999",
    start="1999-10-01",
    fix=_FIX,
    passing=Parcel(head={"party_id": "810000199001010019"}),
    failing=Parcel(head={"party_id": "330100199001010002"}),
)
def resident(_: Context) -> Cases:
    """18 characters, a birth date, ISO 7064 MOD 11-2. Where the type says 1; elsewhere a note."""
    number = pl.col("_id")
    form, born, good = pl.col("_id_form"), pl.col("_id_born"), pl.col("_id_good")
    mine = _typed("1")
    yield Case(
        when=mine & ~form & (number.str.len_chars() <= _AT_MOST) & ~number.str.contains(_FIFTEEN),
        column="party_id",
        zh="身份证号码应为18位（末位可为X）",
        en="an identity number has 18 characters: 17 digits and a digit or X",
    )
    yield Case(
        when=mine & form & ~born,
        column="party_id",
        zh="身份证号码中的出生日期无效",
        en="the birth date in the identity number is impossible",
    )
    yield Case(
        when=mine & born & ~good,
        column="party_id",
        zh="身份证号码校验位不符",
        en="the check character of the identity number is wrong",
    )
    yield Case(
        when=mine & good & number.str.ends_with("x"),
        column="party_id",
        zh="身份证号码末位应为大写X",
        en="the last character should be a capital X",
        severity="warn",
        action="note",
        suggest=number.str.to_uppercase(),
    )
    yield Case(
        when=~(number.str.contains(USCC_FORM) & uscc_good(number)),
        screen=_untyped() & form & ~good,
        column="party_id",
        zh="证件号码形似身份证号码，但校验不符",
        en="the number looks like an identity number but does not check",
        severity="warn",
        action="note",
    )


@rule(
    "ID-02",
    title=("15位身份证号码已停用", "15-digit identity numbers are no longer valid"),
    applies="all",
    fields="SendId;SendIdType",
    source="Resident Identity Card Law (2011 amendment)",
    start="2013-01-01",
    fix=("请改用18位身份证号码", "use the number of 18 characters"),
    passing=Parcel(head={"party_id": "330100199001010001"}),
    failing=Parcel(head={"party_id": "330100900101001"}),
)
def first_generation(_: Context) -> Cases:
    """Where the type says 1; in classes without a type a note."""
    fifteen = pl.col("party_id").str.contains(_FIFTEEN)
    texts = (
        "第一代15位身份证号码已失效",
        "15-digit numbers of the first generation are no longer valid",
    )
    yield Case(when=_typed("1") & fifteen, column="party_id", zh=texts[0], en=texts[1])
    yield Case(
        when=_untyped() & fifteen,
        column="party_id",
        zh=texts[0],
        en=texts[1],
        severity="warn",
        action="note",
    )


@rule(
    "ID-03",
    title=("身份证地区码未知", "District of the identity number unknown"),
    applies="all",
    fields="SendId",
    source="GB/T 2260; residence permit rules 2018; NIA 2023",
    severity="warn",
    action="note",
    start="2018-09-01",
    certainty="inferred",
    fix=_FIX,
    passing=Parcel(head={"party_id": "933001199001010015"}),
    failing=Parcel(head={"party_id": "990100199001010004"}),
)
def district(ctx: Context) -> Cases:
    """First digits: a province, 810000/820000/830000, or 9 and a province (districts come and go)."""
    number = pl.col("_id")
    regions = ctx.tables.frame("id_regions")
    provinces = regions.filter(pl.col("kind") == "province")["prefix"].to_list()
    permits = regions.filter(pl.col("kind") == "residence_permit")["prefix"].to_list()
    foreign = regions.filter(pl.col("kind") == "permanent_residence")["prefix"].to_list()
    known = (
        number.str.head(2).is_in(provinces)
        | number.str.head(6).is_in(permits)
        | (number.str.head(1).is_in(foreign) & number.str.slice(1, 2).is_in(provinces))
    )
    yield Case(
        when=_typed("1") & pl.col("_id_good") & ~known,
        column="party_id",
        zh="身份证号码前6位不是已知地区",
        en="the first digits of the identity number are no known region",
    )


@rule(
    "ID-04",
    title=("年龄合理性", "Plausible age"),
    applies="all",
    fields="SendId",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("请确认收发件人身份", "ask whose number it is"),
    passing=Parcel(head={"party_id": "330100201011230008"}),
    failing=Parcel(head={"party_id": "330100201011240003"}),
)
def age(ctx: Context) -> Cases:
    """Below 16 or above 110 on the day of declaration."""
    number = pl.col("_id")
    today = int(ctx.declared_on)
    born = number.str.slice(6, 8).cast(pl.Int32, strict=False)
    young = born > today - 16_00_00
    old = born <= today - 111_00_00
    yield Case(
        when=_typed("1") & pl.col("_id_good") & (young | old),
        column="party_id",
        zh="证件持有人年龄不足16岁或超过110岁",
        en="the holder is below 16 or above 110 years old",
    )


@rule(
    "ID-05",
    title=("护照号码格式", "Form of a passport number"),
    applies="B",
    fields="SendId;SendIdType",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("请核对护照号码", "check the passport number"),
    passing=Parcel(head={"party_id_type": "2", "party_id": "E12345678"}),
    failing=Parcel(head={"party_id_type": "2", "party_id": "E123-45678"}),
)
def passport(_: Context) -> Cases:
    """5 to 20 letters and digits."""
    number = pl.col("_id")
    yield Case(
        when=_typed("2")
        & ~number.str.contains(r"^[0-9A-Za-z]{5,20}$")
        & (number.str.len_chars() <= _AT_MOST),
        column="party_id",
        zh="护照号码应为5至20位字母和数字",
        en="a passport number has 5 to 20 letters and digits",
    )


_PERMITS = (
    r"^[HM][0-9]{8}([0-9]{2})?$|^[0-9]{8}$|^[0-9]{10}[A-Z]?$|^[A-Z][0-9]{9}$"
    r"|^[A-Z]{3}[0-9]{12}$|^[0-9]{17}[0-9X]$"
)


@rule(
    "ID-06",
    title=("其他证件号码格式", "Form of other documents"),
    applies="B",
    fields="SendId;SendIdType",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("请核对通行证、居留证件号码", "check the number of the permit"),
    passing=Parcel(head={"party_id_type": "3", "party_id": "H12345678"}),
    failing=Parcel(head={"party_id_type": "3", "party_id": "H123"}),
)
def permit(_: Context) -> Cases:
    """Home-return permit, Taiwan travel permit, residence card, permanent residence card."""
    number = pl.col("_id")
    yield Case(
        when=_typed("3") & ~number.str.contains(_PERMITS) & (number.str.len_chars() <= _AT_MOST),
        column="party_id",
        zh="号码不像通行证或居留证件号码",
        en="the number has not the form of a known permit",
    )


def _again(column: str) -> pl.Expr:
    """Rows whose value stands in other rows as well."""
    return pl.col(column).is_not_null() & pl.col(column).is_duplicated()


@rule(
    "ID-07",
    title=("同一证件号码不同姓名", "One identity number, several names"),
    applies="all",
    fields="SendId;SendName",
    source="GACC Announcement 2018 No. 194",
    severity="warn",
    action="note",
    start="2019-01-01",
    certainty="inferred",
    inputs="filing_history",
    fix=("请核实是否冒用身份信息", "find out whether an identity is misused"),
    passing=(Parcel(), Parcel()),
    failing=(Parcel(), Parcel(head={"receiver_name": "李示例"})),
)
def misuse(ctx: Context) -> Cases:
    """Within one hand-in: names per identity number, identity numbers per telephone (`phone_identities`)."""
    name = pl.col("_party")
    yield Case(
        when=name.n_unique().over("party_id") > 1,
        over=("party_id",),
        screen=_again("party_id"),
        column="party_id",
        zh="本批中同一证件号码对应不同姓名",
        en="the same number stands with different names in this file",
    )
    limit = int(ctx.number("phone_identities"))
    yield Case(
        when=pl.col("party_id").n_unique().over("_party_phone") >= limit,
        over=("_party_phone",),
        screen=_again("_party_phone") & pl.col("party_id").is_not_null(),
        column="party_id",
        zh="本批中同一电话对应多个证件号码",
        en="one telephone stands with many identity numbers in this file",
    )
