"""Reform plans as data: tasks with those who lead, cooperate and answer, and their stages."""

from datetime import date
from pathlib import Path

from pydantic import Field

from catalog.base import Identifier, Model, Name
from catalog.document import read_document


class TaskStage(Model):
    """A part of a task and the last day for it."""

    due_on: date
    title: Name


class PlanTask(Model):
    """One task; where no responsible body is named, those that lead answer."""

    id: Identifier
    title: Name
    lead: tuple[Name, ...] = Field(min_length=1)
    cooperating: tuple[Name, ...] = ()
    responsible: Name | None = None
    stages: tuple[TaskStage, ...] = Field(min_length=1)


class Plan(Model):
    """A plan of a government office; ``basis`` is its text."""

    id: Identifier
    name: Name
    basis: Name
    tasks: tuple[PlanTask, ...]


def read_plans(folder: Path) -> tuple[Plan, ...]:
    """The plans of the catalog folder ``plans``.

    Raises:
        pydantic.ValidationError: a file is no plan.
    """
    files = sorted(path.name for path in folder.glob("*.yaml"))
    return tuple(Plan.model_validate(read_document(folder, file).data) for file in files)
