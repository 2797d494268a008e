"""What values of fields are, and whether they are what was asked for (XEP-0122)."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.errors import StanzaError
from ...core.jid import JID, JIDError
from ...core.values import read_bool
from .datatypes import datatype, is_within
from .making import One, Value
from .pattern import understood
from .payloads import FORM_TYPE, Field, Form, Validate

MULTI = frozenset({"hidden", "jid-multi", "list-multi", "text-multi"})


class WrongAnswers(StanzaError):
    """Some answers do not fit the form. `wrong`: name of the field -> why."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("not-acceptable", "; ".join(f"{var}: {why}" for var, why in wrong.items()))
        self.wrong = dict(wrong)


def read(asked: Form, answer: Form) -> dict[str, Value]:
    """The typed answers to the form `asked`, by the types that it asked with (§3.2, §3.3).

    What was not asked is ignored; what was not answered is not in the result, and keeps its
    value (§3.5). Raises `StanzaError`: ``bad-request`` if `answer` is no submission of this
    form, `WrongAnswers` if something required is missing or a value does not fit (§4).
    """
    if answer.type != "submit":
        raise StanzaError("bad-request", "not a submission")
    if answer.form_type not in (None, asked.form_type):
        raise StanzaError("bad-request", f"not the form {asked.form_type}")
    given = {f.var: f for f in reversed(answer.fields)}  # the first of several counts
    values: dict[str, Value] = {}
    wrong: dict[str, str] = {}
    for question in asked.fields:
        var = question.var
        if var is None or var == FORM_TYPE or question.type == "fixed":
            continue
        if var in given and (given[var].values or not question.required):
            try:
                values[var] = typed(question, given[var].values)
            except ValueError as error:
                wrong[var] = str(error)
        elif question.required:
            wrong[var] = "is required"
    if wrong:
        raise WrongAnswers(wrong)
    return values


def typed(question: Field, values: tuple[str, ...]) -> Value:
    """`values` as what the question asks for. Raises `ValueError`, in words for who answered."""
    try:
        return _typed(question, values)
    except (JIDError, ValueError, OverflowError) as error:
        if question.type == "text-private":  # nobody is to read in a log what it was
            raise ValueError("is not what is asked for") from None
        raise ValueError(str(error)) from None


def _typed(question: Field, values: tuple[str, ...]) -> Value:
    kind = question.type or "text-single"
    if kind not in MULTI and len(values) > 1:
        raise ValueError("has one value")
    if kind == "boolean":
        return read_bool(values[0]) if values else False
    if kind == "jid-single" and values:
        return JID.parse(values[0])
    if kind == "jid-multi":
        return tuple(dict.fromkeys(JID.parse(value) for value in values))
    found = _valid(question, values)
    if kind in MULTI:
        return tuple(dict.fromkeys(values)) if kind == "list-multi" else values
    return found[0] if found else ""


def _valid(question: Field, values: tuple[str, ...]) -> tuple[One, ...]:
    """The values by their data type (XEP-0122 §3)."""
    kind, rule = question.type or "text-single", question.validate
    is_open = rule is not None and rule.is_open
    offered = frozenset[str]()
    if kind.startswith("list-"):
        offered = frozenset(option.value for option in question.options)
        if offered and not is_open and not offered.issuperset(values):
            raise ValueError("is not one of the options")
    if rule is None or kind == "hidden":
        return values
    if kind == "list-multi":
        _count(rule, len(values))
    if kind == "text-multi" and not is_open:
        values = ("\n".join(values),) if values else ()
    return tuple(_one(rule, value, is_offered=value in offered) for value in values)


def _one(rule: Validate, value: str, *, is_offered: bool) -> One:
    kind = datatype(rule.datatype)
    if is_offered:  # nobody else is to blame for that
        try:
            return kind.read(value)
        except ValueError:
            return value
    found = kind.read(value)
    limits = rule.range
    if limits is not None and not is_within(kind, value, limits.min, limits.max):
        low, high = limits.min or "...", limits.max or "..."
        raise ValueError(f"{value[:32]} is not between {low} and {high}")
    if rule.regex is not None:
        fits = understood(rule.regex)
        if fits is not None and not fits(value):
            raise ValueError(f"{value[:32]!a} is not of the form {rule.regex[:64]!a}")
    return found


def _count(rule: Validate, count: int) -> None:
    """How many are chosen (XEP-0122 §3.5)."""
    limits = rule.list_range
    if limits is None:
        return
    if not (limits.min or 0) <= count <= (count if limits.max is None else limits.max):
        raise ValueError(f"{count} chosen, {limits.min or 0} to {limits.max or 'any'} wanted")
