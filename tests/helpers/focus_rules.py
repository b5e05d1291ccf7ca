"""Rules of FinOps FOCUS 1.2 for a dataset of cost and usage, as checks over its rows. Pure.

Ported from the specification's columns and attributes, tag v1.2 of FOCUS_Spec; a rule is named by its column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Check = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of FOCUS: Mandatory, Conditional or Recommended; whether it may be null; its type."""

    level: str
    nullable: bool
    kind: str


def _columns(text: str) -> dict[str, Column]:
    lines = (line.split() for line in text.strip().splitlines())
    return {name: Column(level, nullable == "null", kind) for name, level, nullable, kind in lines}


COLUMNS = _columns("""
AvailabilityZone Recommended null String
BilledCost Mandatory never Decimal
BillingAccountId Mandatory never String
BillingAccountName Mandatory null String
BillingAccountType Conditional never String
BillingCurrency Mandatory never String
BillingPeriodEnd Mandatory never DateTime
BillingPeriodStart Mandatory never DateTime
CapacityReservationId Conditional null String
CapacityReservationStatus Conditional null String
ChargeCategory Mandatory never String
ChargeClass Mandatory null String
ChargeDescription Mandatory null String
ChargeFrequency Recommended never String
ChargePeriodEnd Mandatory never DateTime
ChargePeriodStart Mandatory never DateTime
CommitmentDiscountCategory Conditional null String
CommitmentDiscountId Conditional null String
CommitmentDiscountName Conditional null String
CommitmentDiscountQuantity Conditional null Decimal
CommitmentDiscountStatus Conditional null String
CommitmentDiscountType Conditional null String
CommitmentDiscountUnit Conditional null String
ConsumedQuantity Conditional null Decimal
ConsumedUnit Conditional null String
ContractedCost Mandatory never Decimal
ContractedUnitPrice Conditional null Decimal
EffectiveCost Mandatory never Decimal
InvoiceId Recommended null String
InvoiceIssuerName Mandatory never String
ListCost Mandatory never Decimal
ListUnitPrice Conditional null Decimal
PricingCategory Conditional null String
PricingCurrency Conditional null String
PricingCurrencyContractedUnitPrice Conditional null Decimal
PricingCurrencyEffectiveCost Conditional null Decimal
PricingCurrencyListUnitPrice Conditional null Decimal
PricingQuantity Mandatory null Decimal
PricingUnit Mandatory null String
ProviderName Mandatory never String
PublisherName Mandatory never String
RegionId Conditional null String
RegionName Conditional null String
ResourceId Conditional null String
ResourceName Conditional null String
ResourceType Conditional null String
ServiceCategory Mandatory never String
ServiceName Mandatory never String
ServiceSubcategory Recommended never String
SkuId Conditional null String
SkuMeter Conditional null String
SkuPriceDetails Conditional null JSON
SkuPriceId Conditional null String
SubAccountId Conditional null String
SubAccountName Conditional null String
SubAccountType Conditional null String
Tags Conditional null JSON
""")

ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "CommitmentDiscountStatus": {"Used", "Unused"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
        "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media",
        "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other",
    },
}  # fmt: skip
SUBCATEGORIES = {
    "AI and Machine Learning": {
        "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
        "Other (AI and Machine Learning)",
    },
}  # fmt: skip
"""Of the categories that Sim can be in."""

_UNIT = re.compile(r"(\d+ )?[A-Z]\w*(-[A-Z]\w*s|/(\d+ )?[A-Z]\w*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _is(row: Row, column: str) -> bool:
    return row.get(column) is not None


def _alike(one: str, other: str) -> Check:
    """One is null exactly where the other is."""
    return lambda row: one not in row or _is(row, one) == _is(row, other)


def _usage_has(column: str) -> Check:
    """What is used or purchased has a value, unless it corrects an earlier row."""

    def check(row: Row) -> bool:
        asked = row["ChargeCategory"] in ("Usage", "Purchase") and row["ChargeClass"] != "Correction"
        return column not in row or not asked or _is(row, column)

    return check


def _cost(cost: str, price: str) -> Check:
    """A cost is quantity by unit price, or as billed where there is no unit price."""

    def check(row: Row) -> bool:
        if row["ChargeClass"] == "Correction":
            return True
        if not _is(row, price):
            return bool(row[cost] == row["BilledCost"])
        return not _is(row, "PricingQuantity") or bool(row[cost] == row[price] * row["PricingQuantity"])

    return check


RULES: dict[str, Check] = {
    "BillingAccountType goes with BillingAccountId": _alike("BillingAccountType", "BillingAccountId"),
    "BillingCurrency is a code of ISO 4217": lambda row: _CURRENCY.fullmatch(row["BillingCurrency"]) is not None,
    "BillingPeriodEnd is after BillingPeriodStart": lambda row: row["BillingPeriodStart"] < row["BillingPeriodEnd"],
    "ChargeFrequency of a purchase is not Usage-Based": lambda row: (
        row["ChargeCategory"] != "Purchase" or row.get("ChargeFrequency") != "Usage-Based"
    ),
    "ChargePeriodEnd is after ChargePeriodStart": lambda row: row["ChargePeriodStart"] < row["ChargePeriodEnd"],
    "CommitmentDiscount columns are null without CommitmentDiscountId": lambda row: _is(
        row, "CommitmentDiscountId"
    ) or not any(_is(row, column) for column in COLUMNS if column.startswith("CommitmentDiscount")),
    "ConsumedQuantity of usage is told": lambda row: (
        row["ChargeCategory"] != "Usage"
        or row.get("CommitmentDiscountStatus") == "Unused"
        or _usage_has("ConsumedQuantity")(row)
    ),
    "ConsumedQuantity is null without usage": lambda row: (
        row["ChargeCategory"] == "Usage" or not _is(row, "ConsumedQuantity")
    ),
    "ConsumedUnit goes with ConsumedQuantity": _alike("ConsumedUnit", "ConsumedQuantity"),
    "ContractedCost follows from ContractedUnitPrice": _cost("ContractedCost", "ContractedUnitPrice"),
    "ContractedUnitPrice of usage is told": _usage_has("ContractedUnitPrice"),
    "EffectiveCost is BilledCost where nothing is used or bought": lambda row: (
        row["ChargeCategory"] in ("Usage", "Purchase", "Tax") or row["EffectiveCost"] == row["BilledCost"]
    ),
    "ListCost follows from ListUnitPrice": _cost("ListCost", "ListUnitPrice"),
    "ListUnitPrice of usage is told": _usage_has("ListUnitPrice"),
    "PricingCategory of usage is told": _usage_has("PricingCategory"),
    "PricingQuantity of usage is told": _usage_has("PricingQuantity"),
    "PricingUnit goes with PricingQuantity": _alike("PricingUnit", "PricingQuantity"),
    "ResourceName is null without ResourceId": lambda row: _is(row, "ResourceId") or not _is(row, "ResourceName"),
    "ResourceName is not ResourceId": lambda row: (
        not _is(row, "ResourceName") or row["ResourceName"] != row["ResourceId"]
    ),
    "ResourceType goes with ResourceId": _alike("ResourceType", "ResourceId"),
    "ServiceSubcategory is one of ServiceCategory": lambda row: (
        row.get("ServiceSubcategory") in SUBCATEGORIES.get(row["ServiceCategory"], {None})
    ),
    "SkuId of usage is told": _usage_has("SkuId"),
    "SkuMeter goes with SkuId": _alike("SkuMeter", "SkuId"),
    "SkuPriceDetails is null without SkuPriceId": lambda row: (
        _is(row, "SkuPriceId") or not _is(row, "SkuPriceDetails")
    ),
    "SkuPriceId of usage is told": _usage_has("SkuPriceId"),
    "SubAccountName goes with SubAccountId": _alike("SubAccountName", "SubAccountId"),
    "SubAccountType goes with SubAccountId": _alike("SubAccountType", "SubAccountId"),
} | {
    f"{column} is not negative": lambda row, column=column: not _is(row, column) or row[column] >= 0  # type: ignore[misc]
    for column in ("ContractedUnitPrice", "ListUnitPrice")
} | {
    f"{column} is a unit": lambda row, column=column: (  # type: ignore[misc]
        not _is(row, column) or _UNIT.fullmatch(row[column]) is not None
    )
    for column in ("ConsumedUnit", "PricingUnit")
} | {
    f"{column} is an allowed value": lambda row, column=column: (  # type: ignore[misc]
        not _is(row, column) or row[column] in ALLOWED[column]
    )
    for column in ALLOWED
}  # fmt: skip


def broken(row: Row) -> set[str]:
    """Names of the rules that a row breaks."""
    values = set(_of_values(row))
    return values | {name for name, check in RULES.items() if not values and not check(row)}


def _of_values(row: Row) -> Iterator[str]:
    for name, column in COLUMNS.items():
        value = row.get(name)
        if value is None:
            if name in row and not column.nullable:
                yield f"{name} is never null"
        elif not _FORMS[column.kind](value):
            yield f"{name} is of type {column.kind}"


def _is_flat_json(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parsed = json.loads(value)
    return isinstance(parsed, dict) and not any(isinstance(entry, dict | list) for entry in parsed.values())


_FORMS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str) and value.strip() != "",
    "Decimal": lambda value: isinstance(value, Decimal) and value.is_finite(),
    "DateTime": lambda value: isinstance(value, datetime) and value.utcoffset() is not None and value.microsecond == 0,
    "JSON": _is_flat_json,
}


def broken_by_names(names: Sequence[str]) -> set[str]:
    """What is wrong with the columns' names and order."""
    found = {f"{name} is mandatory" for name, column in COLUMNS.items() if column.level == "Mandatory"}
    found -= {f"{name} is mandatory" for name in names}
    found |= {f"{name} is no column of FOCUS" for name in names if name not in COLUMNS and not name.startswith("x_")}
    found |= {f"{name} is longer than 50" for name in names if len(name) > 50}
    own = [name not in COLUMNS for name in names]
    return found | ({"columns of one's own come last"} if own != sorted(own) else set())


def broken_together(rows: Iterable[Row]) -> set[str]:
    """What is wrong only across rows: a value that has two parents."""
    parents = (("SkuPriceId", "SkuId"), ("ServiceName", "ServiceCategory"), ("ServiceName", "ServiceSubcategory"),
               ("ResourceId", "ResourceType"), ("BillingAccountId", "BillingAccountType"))  # fmt: skip
    seen: dict[tuple[str, Any], set[Any]] = {}
    for row in rows:
        for child, parent in parents:
            if _is(row, child):
                seen.setdefault((f"{child} has one {parent}", row[child]), set()).add(row.get(parent))
    return {name for (name, _), found in seen.items() if len(found) > 1}
