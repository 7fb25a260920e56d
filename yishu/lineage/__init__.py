"""Lineage: what came from where, by which run, judged how, told in OpenLineage events.

transport = open_transport(settings.lineage_file)
moment = Moment(run_id, at=now, nominal_at=scheduled, release_id=release.id)
transport.emit(pull_event(RunState.START, moment, entry, source_dataset(entry.source, url)))
"""

from openlineage.client.event_v2 import RunState

from yishu.lineage.errors import LineageError, LineageNotWritten
from yishu.lineage.events import publish_event, pull_event, subject_event, validate_event
from yishu.lineage.facts import (
    CheckOutcome,
    ColumnFlow,
    ColumnRef,
    Moment,
    ParentRun,
    Published,
    Stage,
)
from yishu.lineage.naming import DatasetName, run_uuid, source_dataset
from yishu.lineage.transport import Fanout, FileTransport, open_transport, read_events

__all__ = [
    "CheckOutcome",
    "ColumnFlow",
    "ColumnRef",
    "DatasetName",
    "Fanout",
    "FileTransport",
    "LineageError",
    "LineageNotWritten",
    "Moment",
    "ParentRun",
    "Published",
    "RunState",
    "Stage",
    "open_transport",
    "publish_event",
    "pull_event",
    "read_events",
    "run_uuid",
    "source_dataset",
    "subject_event",
    "validate_event",
]
