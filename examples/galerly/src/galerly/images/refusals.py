"""Why something is not taken."""

from __future__ import annotations


class RefusedError(Exception):
    """Of this upload there will be no renditions.  Its text is for the photographer, `detail` for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class LacksLayerError(Exception):
    """This upload could be worked on with the image layer, which the function was deployed without."""
