"""How the demo looks while it runs: steps as lines, runs as one moving line below them."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from yishu.orchestration import watch


class Terminal:
    """Shows steps and progress; on something that is no terminal it prints a line per change."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self._console = console
        self._bars = bars
        self._entries = bars.add_task("entries", total=None, visible=False, note="")
        self._subjects = bars.add_task("subjects", total=None, visible=False, note="")
        self._last = ""

    def say(self, step: str) -> None:
        """Show a step; the same one twice in a row is shown once."""
        if step != self._last:
            self._console.print(f"[dim]·[/dim] {step}")
            self._last = step

    def show(self, progress: watch.Progress) -> None:
        """Show how far the runs are."""
        tasks = [f"{count} {state}" for state, count in progress.tasks.items()]
        note = ", ".join(tasks) + (f", {progress.failed} failed" if progress.failed else "")
        if not self._console.is_terminal:
            self.say(
                f"{progress.entries_done} of {progress.entries} entries, "
                f"{progress.subjects_done} of {progress.subjects} subjects"
                + (f", {note}" if "retry" in note or progress.failed else "")
            )
            return
        self._bars.update(
            self._entries,
            total=progress.entries,
            completed=progress.entries_done,
            note=note,
            visible=True,
        )
        self._bars.update(
            self._subjects,
            total=progress.subjects,
            completed=progress.subjects_done,
            visible=True,
        )


@contextmanager
def terminal(console: Console) -> Iterator[Terminal]:
    """A terminal that is put in order again at the end, however that comes."""
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}[/dim]"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield Terminal(console, bars)
