"""A form, filled in."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.jid import JID
from .making import Value, shown
from .payloads import FORM_TYPE, Field, Form
from .reading import MULTI, WrongAnswers, typed


def fill(asked: Form, values: Mapping[str, Value]) -> Form:
    """The submission of `asked` with these answers, and its defaults where there are none.

    Raises `WrongAnswers`, which says of each field what is wrong with it: an answer that does
    not fit, one that nobody asked for, one that is missing. The form's own defaults are not
    judged.
    """
    questions = {f.var: f for f in reversed(asked.fields) if f.var and f.type != "fixed"}
    wrong = {var: "is not asked for" for var in values if var not in questions}
    answers: list[Field] = []
    for question in asked.fields:
        var = question.var
        if var is None or questions.get(var) is not question:
            continue
        try:
            answers += _answer(question, values)
        except ValueError as error:
            wrong[var] = str(error)
    if wrong:
        raise WrongAnswers(wrong)
    return Form("submit", fields=tuple(answers))


def _answer(question: Field, values: Mapping[str, Value]) -> list[Field]:
    """The field as it is sent back; nothing for one without an answer and a default."""
    var = question.var or ""
    kind = "hidden" if var == FORM_TYPE else None  # XEP-0068 §3; other types need not be told
    if var not in values:
        if question.required and not question.values:
            raise ValueError("is required")
        return [Field(var, kind, values=question.values)] if question.values else []
    texts = _texts(question, values[var])
    if question.required and not texts:
        raise ValueError("is required")
    typed(question, texts)
    return [Field(var, kind, values=texts)]


def _texts(question: Field, value: Value) -> tuple[str, ...]:
    """`value` as its field has it: lines apart, addresses in order, options as they were."""
    texts = shown(value)
    match question.type or "text-single":
        case "text-multi":
            return tuple(line for text in texts for line in text.split("\n"))
        case "jid-single" | "jid-multi":
            return tuple(dict.fromkeys(_address(text) for text in texts))
        case "list-multi":
            order = [option.value for option in question.options]
            known = [text for text in order if text in texts]
            return tuple(dict.fromkeys([*known, *texts]))
        case kind if kind not in MULTI and any("\n" in text or "\r" in text for text in texts):
            raise ValueError("is one line")
    return texts


def _address(text: str) -> str:
    return JID.parse(text).text
