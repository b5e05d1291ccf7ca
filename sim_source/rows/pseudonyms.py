"""Replaces names and e-mail addresses of people with keyed hashes, if ``redact_people`` is set. Pure functions.

Audit logs name people in their own columns, in ``metadata`` and in free text. E-mail addresses are recognised by their
format, in every table. Names are recognised only where the API marks them as names, and then replaced everywhere in the
same row. The hash is HMAC-SHA256 with the user's salt as the key. With the same salt, a person always gets the same
text; without the salt, hashes cannot be matched by hashing a list of likely addresses.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal

import pyarrow as pa

from .. import jsons
from ..account_tables import AUDIT_LOGS, REJECTED_ROWS, WORKFLOW_VERSIONS
from ..errors import ConfigurationError
from ..schema import Table
from . import privacy

LEAST_SALT: Final = 16
"""Minimum length of the salt in characters: a shorter one could be guessed, which would reveal everyone."""
MOST_HIDES: Final = 10_000
"""Maximum number of cached patterns, one per set of names: compiling a pattern costs more than using it."""

_EMAIL = r"(?<![\w.%+-])[\w.%+-]+(?:'[\w.%+-]+){0,2}(?:@|%40)(?:[\w-]+\.)+[^\W\d_][\w-]+"
"""Matches only at the start of a sequence of its characters, so that the search is linear in the text's length."""
_HIDDEN = r"\bperson-[0-9a-f]{16}\b"
_AT = "@|%40"
"""Every text with an e-mail address contains one of these."""

_EMAIL_WORDS: Final = frozenset({"email", "emails", "mail", "mails"})
_NAME_WORDS: Final = frozenset({"name", "names"})
_SURELY_NAMES: Final = frozenset({"username", "usernames", "fullname", "firstname", "lastname", "surname", "nickname"})
_PERSON_WORDS: Final = frozenset({
    "user", "users", "actor", "actors", "member", "members", "owner", "owners", "person", "people", "author",
    "creator", "by", "inviter", "invitee", "invitees", "sender", "recipient", "recipients", "assignee", "approver",
    "customer", "contact",
})  # fmt: skip
_OF_PERSONS: Final = _PERSON_WORDS | {"target", "first", "last", "full", "given", "family", "display", "nick"}
"""Words in a field's name which, together with ``name``, mark it as the name of a person."""
_THING_WORDS: Final = frozenset({
    "workflow", "workspace", "organization", "org", "team", "group", "folder", "file", "document", "base", "table",
    "column", "key", "tool", "block", "model", "provider", "server", "host", "environment", "variable", "credential",
    "set", "webhook", "schedule", "skill", "template", "form", "chat", "connector", "deployment", "version",
    "resource", "plan", "role", "event", "permission", "api", "service", "domain", "project", "app",
})  # fmt: skip
_PERSON_RESOURCES: Final = frozenset({"user", "member", "account", "profile", "password", "invitation", "person"})
"""Types of resources whose name is the name of a person."""
_SAY_PEOPLE: Final = ("description", "resource_name", "resource_id")

Hide = Callable[[str], str]
"""A function that replaces names and e-mail addresses in a text."""


class Pseudonyms:
    """Replaces names and e-mail addresses of people with keyed hashes.

    Args:
        salt: The user's secret; it appears in no ``repr``, log or error.

    Raises:
        ConfigurationError: The salt is missing or too short.
    """

    __slots__ = ("_emails", "_hides", "_key")

    def __init__(self, salt: str | None) -> None:
        self._key = checked_salt(salt).encode()
        self._hides: dict[frozenset[str], Hide] = {}
        self._emails = self._hiding(())

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def person(self, value: str) -> str:
        """Returns ``person-<16 hex digits>`` for a name or address; ignores case, white space and Unicode form."""
        if not value.strip() or re.fullmatch(_HIDDEN, value):
            return value
        text = " ".join(unicodedata.normalize("NFKC", value).split()).lower()
        return f"person-{hmac.digest(self._key, text.encode(), 'sha256').hex()[:16]}"

    def hidden(self, table: Table, rows: pa.Table) -> pa.Table:
        """Replaces names and e-mail addresses in rows of a table. Idempotent."""
        if table.name == AUDIT_LOGS.name:
            return _changed(table, rows, self._audit_row)
        if table.name == REJECTED_ROWS.name:
            return _changed(table, rows, self._rejected_row)
        if table.name == WORKFLOW_VERSIONS.name:
            rows = _changed(table, rows, self._version_row)
        import pyarrow.compute as pc  # imported here: slow, and not needed otherwise

        for index, column in enumerate(table.columns):
            if column.kind in ("text", "json"):
                found = rows.column(index)
                if pc.any(pc.match_substring_regex(found, _AT)).as_py():
                    hide = self._hide_json if column.kind == "json" else self._emails
                    texts = [None if text is None else hide(text) for text in found.to_pylist()]
                    rows = rows.set_column(index, rows.schema.field(index), pa.array(texts, type=found.type))
        return rows

    def _audit_row(self, row: dict[str, Any]) -> dict[str, Any]:
        told = {name: jsons.anything(row[name]) for name in ("metadata", "extra") if row[name] is not None}
        names = [row["actor_name"], row["actor_email"], *_people_in(told)]
        if _is_person(row["resource_type"]):
            names.append(row["resource_name"])
        hide = self._hiding(names)
        clean = {name: self._emails(text) if isinstance(text, str) else text for name, text in row.items()}
        clean |= {name: hide(row[name]) for name in _SAY_PEOPLE if row[name] is not None}
        clean |= {name: self.person(row[name]) for name in ("actor_name", "actor_email") if row[name] is not None}
        return clean | {name: _json(self._value(value, hide)) for name, value in told.items()}

    def _version_row(self, row: dict[str, Any]) -> dict[str, Any]:
        who, told = row["deployed_by"], row["description"]
        if who is None:
            return row
        hide = self._hiding([who])
        return row | {"deployed_by": self.person(who), "description": told and hide(told)}

    def _rejected_row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Hides names and addresses in a rejected audit log, as in a stored one; in other rows, only addresses."""
        told = None if row["row_json"] is None else jsons.anything(row["row_json"])
        hide, value = self._emails, told
        if row["table_name"] == AUDIT_LOGS.name:
            names = list(_people_in(told))
            if isinstance(told, dict) and _is_person(told.get("resourceType")):
                names += _strings(told.get("resourceName"))
            hide = self._hiding(names)
            value = self._value(told, hide)
        elif told is not None:
            if row["table_name"] == WORKFLOW_VERSIONS.name and isinstance(told, dict):
                hide = self._hiding(list(_strings(told.get("deployedBy"))))
            value = self._texts(told, hide)
        clean = {"record_id": self._emails(row["record_id"]), "reason": row["reason"] and hide(row["reason"])}
        return row | clean | {"row_json": None if told is None else _json(value)}

    def _hide_json(self, text: str) -> str:
        return _json(self._texts(jsons.anything(text.encode()), self._emails))

    def _hiding(self, names: Iterable[str | None]) -> Hide:
        """Returns a function that hides e-mail addresses and these names (as whole words) in one pass over a text."""
        known = frozenset(" ".join(name.split()) for name in names if name is not None and len(name.strip()) > 1)
        hide = self._hides.get(known)
        if hide is None:
            if len(self._hides) >= MOST_HIDES:
                self._hides.clear()
            hide = self._hides[known] = self._new_hiding(known)
        return hide

    def _new_hiding(self, known: Iterable[str]) -> Hide:
        words = [r"\s+".join(map(re.escape, name.split())) for name in sorted(known, key=len, reverse=True)]
        pattern = re.compile("|".join([_EMAIL, _HIDDEN, *(rf"(?<!\w){name}(?!\w)" for name in words)]), re.IGNORECASE)
        return lambda text: pattern.sub(lambda match: self.person(match[0].replace("%40", "@")), text)

    def _texts(self, value: Any, hide: Hide, keys: Hide | None = None) -> Any:
        """Applies ``hide`` to every text in a JSON value, and ``keys``, else ``hide``, to every field name."""
        keys = keys or hide
        if isinstance(value, dict):
            return {keys(name): self._texts(entry, hide, keys) for name, entry in value.items()}
        if isinstance(value, list):
            return [self._texts(entry, hide, keys) for entry in value]
        return hide(value) if isinstance(value, str) else value

    def _value(self, value: Any, hide: Hide) -> Any:
        """Hides people in a JSON value: the whole value of fields for people, and by ``hide`` in all other texts."""
        if isinstance(value, dict):
            return {hide(name): self._entry(name, entry, hide) for name, entry in value.items()}
        if isinstance(value, list):
            return [self._value(entry, hide) for entry in value]
        return hide(value) if isinstance(value, str) else value

    def _entry(self, name: str, entry: Any, hide: Hide) -> Any:
        holds = _holds(name)
        if holds == "nobody":
            return self._value(entry, hide)
        if holds == "name":  # of any JSON type
            return self._texts(entry, self.person, hide)
        entries = entry if isinstance(entry, list) else [entry]
        clean = [self.person(each) if isinstance(each, str) else self._value(each, hide) for each in entries]
        return clean if isinstance(entry, list) else clean[0]


def checked_salt(salt: str | None) -> str:
    """Checks the salt and returns it without surrounding white space, such as the newline of a file.

    Raises:
        ConfigurationError: The salt is missing or too short.
    """
    found = str(salt or "").strip()
    if len(found) < LEAST_SALT:
        raise ConfigurationError(
            f"SIM_REDACT_SALT: redact_people needs a secret of at least {LEAST_SALT} characters; create one, e.g. "
            "with `openssl rand -hex 32`, store it safely, and set SIM_REDACT_SALT, or redact_salt under "
            "[sources.sim_source] in .dlt/secrets.toml"
        )
    return found


def _holds(name: str) -> Literal["name", "person", "nobody"]:
    """What a field holds, by its name: a name or address, a person (as text or object), or neither."""
    words = privacy.words_of(name)
    last = words[-1] if words else ""
    if last in _EMAIL_WORDS or last in _SURELY_NAMES:
        return "name"
    if last in _NAME_WORDS:
        return "nobody" if _THING_WORDS.intersection(words[:-1]) else "name"
    return "person" if last in _PERSON_WORDS else "nobody"


def _people_in(value: Any, of_person: bool = False) -> Iterator[str]:
    """Yields names and addresses in fields for people; they are hidden everywhere in the same row.

    A field called just ``name`` may be the name of a workflow. It counts as the name of a person if it is inside a
    person's object, or beside an e-mail address.
    """
    if isinstance(value, list):
        for entry in value:
            yield from _people_in(entry, of_person)
    if not isinstance(value, dict):
        return
    held = {name: _holds(name) for name in value}
    of_person = of_person or any(_EMAIL_WORDS.intersection(privacy.words_of(name)) for name in value)
    for name, entry in value.items():
        words = privacy.words_of(name)
        sure = of_person or not _NAME_WORDS.intersection(words) or bool(_OF_PERSONS.intersection(words))
        if held[name] != "nobody" and sure:
            yield from _strings(entry if held[name] == "name" else [] if isinstance(entry, dict) else entry)
        yield from _people_in(entry, held[name] == "person")


def _is_person(resource_type: Any) -> bool:
    return isinstance(resource_type, str) and resource_type.lower() in _PERSON_RESOURCES


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _strings(entry)


def _changed(table: Table, rows: pa.Table, change: Callable[[dict[str, Any]], dict[str, Any]]) -> pa.Table:
    changed = [change(row) for row in rows.to_pylist()]
    return table.arrow([[row[name] for row in changed] for name in table.column_names])


def _json(value: Any) -> str:
    return jsons.encode(value).decode()
