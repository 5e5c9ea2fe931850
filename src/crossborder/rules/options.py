"""Settings of the rules: what a profile may switch under `[options]`, each with its safe default.

Every one stands for something that no law fixes: a figure of our choice, or a rule that is only inferred.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from crossborder.errors import SettingsError
from crossborder.settings import Profile


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `choices` are the words it takes; without any it is a decimal number above zero.

    `rules` are the ids of those that ask it.
    """

    name: str
    default: str
    meaning_zh: str
    meaning_en: str
    choices: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


_GRADES = ("pass", "warn", "reject")

OPTIONS: dict[str, Option] = {
    o.name: o
    for o in (
        Option(
            "unstated_facts",
            "hold",
            "文件与企业档案都未说明的事实（是否退税、收付汇、分离运输行李、平台三单商品、监管条件）：hold 未能评估、待人工；"
            "mark 未能评估、标注后放行；assume_no 视为否",
            "a fact that neither file nor profile states (tax refund, foreign exchange, separated luggage, platform purchase, "
            "supervision conditions): hold makes the shipment not evaluated, so that it waits; mark lets it go on, marked; "
            "assume_no takes it as no",
            ("hold", "mark", "assume_no"),
            ("CLS-02", "CLS-05", "CLS-06", "CLS-07", "CLS-14", "CLS-16"),
        ),
        Option(
            "supplementary_ideographs",
            "warn",
            "扩展区汉字（生僻字）：pass 放行，warn 提示，reject 退回",
            "rare ideographs outside the basic plane",
            _GRADES,
            ("TXT-04",),
        ),
        Option(
            "require_chinese_name",
            "warn",
            "商品名称不含汉字：pass 放行，warn 提示，reject 退回",
            "a goods name without Chinese characters",
            _GRADES,
            ("EXP-45",),
        ),
        Option(
            "mode_3039",
            "warn",
            "C类使用监管方式3039（货样广告品B）：pass 放行，warn 提示，reject 退回",
            "supervision mode 3039 in class C",
            _GRADES,
            ("CLS-09",),
        ),
        Option(
            "house_weight_kg",
            "50",
            "B类分运单毛重超过此值（千克）时提示",
            "gross weight in kg above which a class B parcel is asked about",
            rules=("EXP-47",),
        ),
        Option(
            "piece_weight_kg",
            "30",
            "B类单件毛重超过此值（千克）时提示",
            "weight of one piece in kg above which a class B parcel is asked about",
            rules=("EXP-47",),
        ),
        Option(
            "goods_exemption",
            "note",
            "税额估算：C类每一税种低于起征额（TAX-09，推断）时，note 只提示，apply 不计入应缴税额",
            "tax estimate of class C: a tax below the amount from which it is collected (TAX-09, inferred): note "
            "says so, apply leaves it out of what is to be paid",
            ("note", "apply"),
            ("TAX-09",),
        ),
        Option(
            "total_tolerance",
            "0.01",
            "总价核对的绝对容差（原币）",
            "absolute tolerance when totals are compared, in the currency itself",
            rules=("EXP-44",),
        ),
        Option(
            "total_tolerance_percent",
            "0.5",
            "总价核对的相对容差（%），超过则提示",
            "relative tolerance in percent, above it a note",
            rules=("EXP-44",),
        ),
        Option(
            "total_reject_percent",
            "5",
            "总价相差超过此比例（%）则退回",
            "difference in percent above which totals are refused",
            rules=("EXP-44",),
        ),
        Option(
            "repeat_parcels",
            "6",
            "同一证件号码在一份清单中的B类包裹达到此数量时暂挂",
            "class B parcels of one identity number in one file from which they are held",
            rules=("CLS-17",),
        ),
        Option(
            "split_signal",
            "note",
            "疑似拆单（同一收发件人多个包裹合计超限）：pass 不查，note 提示，hold 同一证件号码的暂挂",
            "parcels of one person that are above the limit together: pass does not look, note says so, hold lets those of "
            "one identity number wait for a person",
            ("pass", "note", "hold"),
            ("CLS-17",),
        ),
        Option(
            "split_parcels",
            "2",
            "同一收发件人（证件、电话或地址）的B类包裹达到此数量，且各未超限、合计超限时，疑似拆单",
            "class B parcels of one person (identity number, telephone or address), each within the limit, from which "
            "a sum above it is taken for one purchase split up",
            rules=("CLS-17",),
        ),
        Option(
            "split_days",
            "7",
            "与以往批次比较疑似拆单时，进出境日期相差不超过的天数",
            "days between the movement dates of parcels within which those of earlier batches are compared for one purchase "
            "split up",
            rules=("CLS-17",),
        ),
        Option(
            "house_days",
            "180",
            "同一分运单在多少天内仍在其他总运单下有效时暂挂",
            "days within which a house waybill that is live under another master waybill is held",
            rules=("EXP-50",),
        ),
        Option(
            "resale_quantity",
            "100",
            "B类单项商品件数达到此数量时暂挂",
            "pieces of one class B line from which the parcel is held",
            rules=("CLS-17",),
        ),
        Option(
            "restricted_quantity",
            "1",
            "B类烟、酒（按行邮税号）一项申报数量达到此数时暂挂；快件限量未有明文，默认全部由人工判断",
            "declared quantity of one class B line of tobacco or alcohol (by its tax number) from which the parcel is held; no "
            "limit for parcels was found, so by default a person judges all of them",
            rules=("LIM-08",),
        ),
        Option(
            "milk_powder_kg",
            "5",
            "B类奶粉净重超过此值（千克）时提示（快件企业做法）",
            "net weight in kg above which a class B parcel of milk powder is noted (carriers' practice)",
            rules=("LIM-10",),
        ),
        Option(
            "manifest_total_percent",
            "3",
            "舱单合计与总运单件数、毛重相差超过此比例（%）时提示",
            "difference in percent between the manifest's totals and the master waybill's own above which a note is given",
            rules=("MFT-02",),
        ),
        Option(
            "phone_identities",
            "4",
            "同一电话在一份清单中对应的证件号码达到此数量时提示",
            "identity numbers behind one telephone in one file from which a note is given",
            rules=("ID-07",),
        ),
    )
}


def option(profile: Profile, name: str) -> str:
    """The value of a setting under a profile. Raises `SettingsError` naming it if it cannot be used."""
    known = OPTIONS[name]
    value = profile.options.get(name, known.default)
    good = (
        value in known.choices
        if known.choices
        else bool(re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,5})?", value)) and Decimal(value) > 0
    )
    if not good:
        allowed = " | ".join(known.choices) or "a number above zero"
        raise SettingsError(
            f"{value!r} is no value of this setting",
            f"设置值 {value!r} 无效",
            place=f"options.{name}",
            fix_en=allowed,
            fix_zh=" | ".join(known.choices) or "应为大于零的数",
        )
    return value


def largest(profiles: Iterable[Profile], name: str) -> Decimal:
    """The greatest number that a setting has under any of some profiles; one that cannot be used does not count."""
    found = [Decimal(OPTIONS[name].default)]
    for profile in profiles:
        with contextlib.suppress(SettingsError):
            found.append(Decimal(option(profile, name)))
    return max(found)
