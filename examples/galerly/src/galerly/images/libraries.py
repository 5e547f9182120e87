"""The image libraries, which come by the layer.  What is missing is told once, in one line, and is no crash.

A deployment that lost its layer goes on with what it can do: JPEG, PNG, WEBP and GIF.  The lines of this file are what
the smoke checks of the rollout look for, so that such a deployment never reaches users.
"""

from __future__ import annotations

import logging

__all__ = ["Image", "announce", "pillow_heif", "rawpy"]

log = logging.getLogger("galerly")

try:
    import rawpy
except ImportError:
    rawpy = None
try:
    from PIL import Image
except ImportError:
    Image = None
try:
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    pillow_heif = None


def announce() -> None:
    """Says what is there, and what is not."""
    versions = {
        "rawpy": rawpy and rawpy.__version__,
        "Pillow": Image and Image.__version__,
        "pillow-heif": pillow_heif and pillow_heif.__version__,
    }
    for name, version in versions.items():
        if version:
            log.info("%s imported successfully (%s)", name, version)
    lacking = [name for name, version in versions.items() if not version]
    if lacking:
        log.error("not installed: %s; attach the layer galerly-image-processing", ", ".join(lacking))
    log.info("RAW format support: %s", "DISABLED" if rawpy is None or Image is None else "ENABLED")
