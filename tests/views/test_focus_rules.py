"""The rules of FOCUS 1.2 that rows are held against find what they are to find."""

from __future__ import annotations

import pytest

from tests.helpers.focus_rules import COLUMNS, Row, broken, broken_by_names, broken_together
from tests.helpers.tables import at, usd

GOOD: Row = dict.fromkeys(COLUMNS) | {
    "BilledCost": usd("2"), "EffectiveCost": usd("2"), "ListCost": usd("3"), "ContractedCost": usd("2"),
    "ListUnitPrice": usd("0.3"), "ContractedUnitPrice": usd("0.2"), "PricingQuantity": usd("10"),
    "PricingUnit": "1000 Tokens", "PricingCategory": "Standard", "ConsumedQuantity": usd("10000"),
    "ConsumedUnit": "Tokens", "BillingAccountId": "b", "BillingAccountType": "Organization", "BillingCurrency": "USD",
    "BillingPeriodStart": at("2026-11-01"), "BillingPeriodEnd": at("2026-12-01"), "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based", "ChargePeriodStart": at("2026-11-02"), "ChargePeriodEnd": at("2026-11-03"),
    "InvoiceIssuerName": "i", "ProviderName": "p", "PublisherName": "q", "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "s", "ServiceSubcategory": "Generative AI", "SkuId": "k", "SkuMeter": "Tokens", "SkuPriceId": "k1",
    "SubAccountId": "a", "SubAccountName": "n", "SubAccountType": "Workspace", "ResourceId": "r", "ResourceType": "t",
    "ResourceName": "name", "Tags": '{"a": "b", "c": true}', "PricingCurrency": "USD",
}  # fmt: skip
"""A row that breaks no rule."""


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"BilledCost": None}, "BilledCost is never null"),
        ({"BilledCost": 2.0}, "BilledCost is of type Decimal"),
        ({"ServiceName": " "}, "ServiceName is of type String"),
        ({"ChargePeriodStart": at("2026-11-02 00:00:00.5")}, "ChargePeriodStart is of type DateTime"),
        ({"Tags": '{"a": {"b": 1}}'}, "Tags is of type JSON"),
        ({"ChargeCategory": "Use", "ConsumedQuantity": None, "ConsumedUnit": None, "EffectiveCost": usd("2")},
         "ChargeCategory is an allowed value"),
        ({"ChargeClass": "Fix"}, "ChargeClass is an allowed value"),
        ({"ServiceSubcategory": "Containers"}, "ServiceSubcategory is one of ServiceCategory"),
        ({"BillingCurrency": "dollars"}, "BillingCurrency is a code of ISO 4217"),
        ({"ChargePeriodEnd": at("2026-11-02")}, "ChargePeriodEnd is after ChargePeriodStart"),
        ({"BillingPeriodEnd": at("2026-11-01")}, "BillingPeriodEnd is after BillingPeriodStart"),
        ({"ConsumedUnit": None}, "ConsumedUnit goes with ConsumedQuantity"),
        ({"ConsumedUnit": "tokens"}, "ConsumedUnit is a unit"),
        ({"PricingUnit": None}, "PricingUnit goes with PricingQuantity"),
        ({"ConsumedQuantity": None, "ConsumedUnit": None}, "ConsumedQuantity of usage is told"),
        ({"PricingQuantity": None, "PricingUnit": None}, "PricingQuantity of usage is told"),
        ({"ListCost": usd("2")}, "ListCost follows from ListUnitPrice"),
        ({"ContractedCost": usd("3")}, "ContractedCost follows from ContractedUnitPrice"),
        ({"CommitmentDiscountStatus": "Used"}, "CommitmentDiscount columns are null without CommitmentDiscountId"),
        ({"SkuId": None, "SkuMeter": None}, "SkuId of usage is told"),
        ({"SkuMeter": None}, "SkuMeter goes with SkuId"),
        ({"SkuPriceId": None}, "SkuPriceId of usage is told"),
        ({"PricingCategory": None}, "PricingCategory of usage is told"),
        ({"SubAccountType": None}, "SubAccountType goes with SubAccountId"),
        ({"SubAccountName": None}, "SubAccountName goes with SubAccountId"),
        ({"ResourceId": None, "ResourceType": None}, "ResourceName is null without ResourceId"),
        ({"ResourceName": "r"}, "ResourceName is not ResourceId"),
        ({"ResourceType": None}, "ResourceType goes with ResourceId"),
        ({"ChargeCategory": "Purchase", "ConsumedQuantity": None, "ConsumedUnit": None},
         "ChargeFrequency of a purchase is not Usage-Based"),
        ({"ChargeCategory": "Credit", "ConsumedQuantity": None, "ConsumedUnit": None, "EffectiveCost": usd("1")},
         "EffectiveCost is BilledCost where nothing is used or bought"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_rules_find_a_row_that_breaks_one(change: Row, rule: str) -> None:
    assert broken(GOOD) == set()
    assert broken(GOOD | change) == {rule}


def test_the_rules_find_wrong_names_and_values_with_two_parents() -> None:
    assert broken_by_names(["x_own", *COLUMNS, "Own"]) == {
        "Own is no column of FOCUS", "columns of one's own come last",
    }  # fmt: skip
    assert broken_by_names([name for name in COLUMNS if name != "BilledCost"]) == {"BilledCost is mandatory"}
    assert broken_together([GOOD, GOOD | {"SkuId": "other"}]) == {"SkuPriceId has one SkuId"}
