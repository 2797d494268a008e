"""Data forms: questions, answers and tables for any protocol, with typed reading of answers."""

from __future__ import annotations

from .. import Spec
from .filling import fill
from .layout import (
    NS_LAYOUT,
    FieldRef,
    Page,
    Part,
    ReportedRef,
    Section,
    Text,
    page,
    referred,
    section,
)
from .making import (
    One,
    Value,
    cancellation,
    field,
    fixed,
    form,
    hidden,
    result,
    shown,
    submission,
    table,
)
from .payloads import (
    FORM_TYPE,
    NS,
    NS_MEDIA,
    NS_VALIDATION,
    Field,
    Form,
    Item,
    ListRange,
    Media,
    Option,
    Range,
    Reported,
    Uri,
    Validate,
)
from .reading import MULTI, WrongAnswers, read, typed
from .registry import REGISTRY, answers, irregular, kind_of

__all__ = [
    "FORM_TYPE",
    "MULTI",
    "NS",
    "NS_LAYOUT",
    "NS_MEDIA",
    "NS_VALIDATION",
    "REGISTRY",
    "SPEC",
    "SPEC_LAYOUT",
    "SPEC_MEDIA",
    "SPEC_TYPES",
    "SPEC_VALIDATION",
    "Field",
    "FieldRef",
    "Form",
    "Item",
    "ListRange",
    "Media",
    "One",
    "Option",
    "Page",
    "Part",
    "Range",
    "Reported",
    "ReportedRef",
    "Section",
    "Text",
    "Uri",
    "Validate",
    "Value",
    "WrongAnswers",
    "answers",
    "cancellation",
    "field",
    "fill",
    "fixed",
    "form",
    "hidden",
    "irregular",
    "kind_of",
    "page",
    "read",
    "referred",
    "result",
    "section",
    "shown",
    "submission",
    "table",
    "typed",
]

SPEC = Spec("XEP-0004", "2.13.2", "Data Forms")
SPEC_TYPES = Spec("XEP-0068", "1.3.0", "Field Standardization for Data Forms")
SPEC_VALIDATION = Spec("XEP-0122", "1.0.2", "Data Forms Validation")
SPEC_LAYOUT = Spec("XEP-0141", "1.0", "Data Forms Layout")
SPEC_MEDIA = Spec("XEP-0221", "1.0", "Data Forms Media Element")
