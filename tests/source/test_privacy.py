"""Secrets leave memory in no form, ever; payloads only when asked for; the structure stays."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_source.rows import privacy
from sim_source.rows.privacy import REDACTED


@pytest.mark.parametrize(
    "name",
    [
        "apiKey", "api_key", "API_KEY", "APIKey", "apikey", "OPENAI_API_KEY", "accessToken", "access_token",
        "refreshToken", "clientSecret", "client_secret", "webhookSecret", "passphrase", "dbPassword", "PASSWORD",
        "Authorization", "authorization", "proxy-authorization", "x-api-key", "credential", "credentials",
        "oauthCredential", "privateKey", "secretAccessKey", "bearer", "cookie", "bot_token", "CRM_TOKEN", "key",
    ],
)  # fmt: skip
def test_a_field_of_this_name_holds_a_secret(name: str) -> None:
    assert privacy.is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "maxTokens", "max_tokens", "tokens", "totalTokens", "model", "monkey", "keyboard", "hotkeyed",
        "author", "title", "name", "systemPrompt", "passed", "compass", "id", "value", "secretary", "position",
        "tokenCount", "tokenUsage", "api_key_limit",
    ],
)  # fmt: skip
def test_a_field_of_this_name_holds_none(name: str) -> None:
    assert not privacy.is_secret_name(name)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ({"apiKey": "sk-1"}, {"apiKey": None}),
        ({"apiKey": {"id": "apiKey", "value": "s"}}, {"apiKey": {"id": "apiKey", "value": None}}),
        ({"headers": {"Authorization": "Bearer abc"}}, {"headers": {"Authorization": None}}),
        ({"Key": "X-Api-Key", "Value": "abc"}, {"Key": "X-Api-Key", "Value": None}),
        ({"cells": {"Key": "Accept", "Value": "json"}}, {"cells": {"Key": "Accept", "Value": "json"}}),
        ({"name": "API_TOKEN", "value": "abc"}, {"name": "API_TOKEN", "value": None}),
        ({"name": "REGION", "value": "eu"}, {"name": "REGION", "value": "eu"}),
        ({"id": "botToken", "value": "abc"}, {"id": "botToken", "value": None}),
        ({"id": "field", "password": True, "value": "abc"}, {"id": "field", "password": True, "value": None}),
        ({"id": "field", "password": False, "value": "abc"}, {"id": "field", "password": False, "value": "abc"}),
        ({"apiKey": "{{OPENAI_API_KEY}}"}, {"apiKey": "{{OPENAI_API_KEY}}"}),
        ({"apiKey": " {{OPENAI_API_KEY}} "}, {"apiKey": " {{OPENAI_API_KEY}} "}),
        ({"token": "<start.token>"}, {"token": "<start.token>"}),
        ({"apiKey": "x{{OPENAI_API_KEY}}"}, {"apiKey": None}),
        ({"apiKey": ""}, {"apiKey": ""}),
        ({"apiKey": None}, {"apiKey": None}),
        ({"credentials": {"user": "u", "on": True}}, {"credentials": {"user": None, "on": True}}),
        ({"tokens": ["a", "b"]}, {"tokens": ["a", "b"]}),
        ({"secrets": ["a", ["b"]]}, {"secrets": [None, [None]]}),
        ({"code": "fetch('sk-proj-abcdefgh12345')"}, {"code": f"fetch('{REDACTED}')"}),
        ({"code": "ghp_" + "a1" * 10}, {"code": REDACTED}),
        ({"code": "Authorization: Bearer abcdef123456"}, {"code": f"Authorization: Bearer {REDACTED}"}),
        ({"text": "a risky task-list and sk-8 short"}, {"text": "a risky task-list and sk-8 short"}),
        ([{"apiKey": "x"}, "sk-super-secret-1"], [{"apiKey": None}, REDACTED]),
    ],
)  # fmt: skip
def test_secrets_go_and_the_structure_stays(value: Any, clean: Any) -> None:
    assert privacy.without_secrets(value) == clean


def test_a_table_of_headers_in_a_sub_block_loses_only_its_secrets() -> None:
    rows = [
        {"id": "1", "cells": {"Key": "Authorization", "Value": "Bearer abc"}},
        {"id": "2", "cells": {"Key": "Accept", "Value": "json"}},
    ]
    clean = privacy.without_secrets({"headers": {"id": "headers", "type": "table", "value": rows}})
    assert [row["cells"]["Value"] for row in clean["headers"]["value"]] == [None, "json"]


SECRET = "hidden-4711-value"  # of no form that gives it away
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    around=json_values, name=st.sampled_from(["apiKey", "db_password", "clientSecret", "authToken"]), deep=st.booleans()
)
def test_a_secret_is_found_however_deep_it_is(around: Any, name: str, deep: bool) -> None:
    held: Any = {"value": {"inner": [SECRET]}} if deep else SECRET
    clean = privacy.without_secrets({"a": [around, {"b": {name: held, "other": around}}]})
    assert SECRET not in json.dumps(clean)
    assert name in clean["a"][1]["b"]


@given(value=json_values)
def test_removing_twice_is_removing_once(value: Any) -> None:
    once = privacy.without_secrets(value)
    assert privacy.without_secrets(once) == once


def test_removing_changes_nothing_in_place() -> None:
    value = {"apiKey": "x", "inner": [{"token": "y"}]}
    privacy.without_secrets(value)
    assert value == {"apiKey": "x", "inner": [{"token": "y"}]}


def test_payload_fields_go_at_any_depth() -> None:
    row = {
        "id": "1",
        "input": {"ticket": "on fire"},
        "workflow": {"name": "n", "output": "on fire"},
        "list": [{"content": "on fire", "count": 3}],
        "apiKey": "on fire",
        "region": "eu",
    }
    assert privacy.without_payloads(row) == {
        "id": "1",
        "workflow": {"name": "n"},
        "list": [{"count": 3}],
        "apiKey": None,
        "region": "eu",
    }


def test_undocumented_fields_are_withheld_but_for_numbers_and_flags() -> None:
    fields = {"a": "text", "b": {"c": 1}, "d": [1], "e": 3, "f": True, "g": Decimal("0.125"), "h": None}
    assert privacy.withheld(fields) == {
        "a": None,
        "b": None,
        "d": None,
        "e": 3,
        "f": True,
        "g": Decimal("0.125"),
        "h": None,
    }


def test_of_execution_data_only_what_is_not_private_stays() -> None:
    data = {
        "trigger": {"type": "api", "source": "api", "timestamp": "t", "data": {"body": "on fire"}},
        "lastStartedBlock": {"blockId": "b", "blockName": "n", "input": "on fire"},
        "workflowInput": {"ticket": "on fire"},
        "environment": {"variables": {"X": "on fire"}},
        "newThing": {"anything": "on fire"},
        "traceSpanCount": 7,
        "hasTraceSpans": True,
    }
    kept = privacy.safe_execution_data(data)
    assert "on fire" not in json.dumps(kept)
    assert kept == {
        "trigger": {"type": "api", "source": "api", "timestamp": "t"},
        "lastStartedBlock": {"blockId": "b", "blockName": "n"},
        "newThing": None,
        "traceSpanCount": 7,
        "hasTraceSpans": True,
    }
