"""Finds the questions: every file of this package that has a `QUESTION`."""

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from tellback.server import questions
from tellback.server.questions.contract import Question, QuestionError


@cache
def catalogue() -> MappingProxyType[str, Question]:
    """Questions by name, in the order of their names."""
    found = {}
    for module in pkgutil.iter_modules(questions.__path__):
        question = getattr(importlib.import_module(f"{questions.__name__}.{module.name}"), "QUESTION", None)
        if isinstance(question, Question):
            found[question.name] = question
    return MappingProxyType(dict(sorted(found.items())))


def find(name: str) -> Question:
    question = catalogue().get(name)
    if question is None:
        raise QuestionError("not_found", f"no question {name!r}; there are: {', '.join(catalogue())}", "question", 404)
    return question
