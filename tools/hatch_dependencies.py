"""Hand requirements/runtime.in to the package's metadata, so that each pin is written once."""

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RuntimeRequirements(MetadataHookInterface):
    """Reads the runtime requirements as the project's dependencies."""

    def update(self, metadata: dict) -> None:
        """Set ``dependencies`` from requirements/runtime.in."""
        text = (Path(self.root) / "requirements" / "runtime.in").read_text("utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        metadata["dependencies"] = [line for line in lines if line]
