"""Where things lie in the bucket: what the API, the processor and the migration agree on.

    uploads/OWNER/GALLERY/PHOTO/name.dng               the original, as it came
    renditions/OWNER/GALLERY/PHOTO/name.dng/thumbnail.jpg   …/medium.jpg, …/large.jpg
    renditions/OWNER/GALLERY/PHOTO/name.dng/photo.json      written last: {"format", "how", "width", "height", …}
    renditions/OWNER/GALLERY/PHOTO/name.dng/refused.json    instead of all these: {"reason": "…"}

Nothing here is imported but the standard library: both functions carry this file.
"""

from __future__ import annotations

UPLOADS, RENDITIONS = "uploads/", "renditions/"
SIZES = ("thumbnail", "medium", "large")
DETAILS, REFUSED = "photo.json", "refused.json"


def upload(owner: str, gallery: str, photo: str, name: str) -> str:
    """The key that a photo is uploaded to."""
    return f"{UPLOADS}{owner}/{gallery}/{photo}/{name}"


def renditions(key: str) -> str:
    """The folder of an upload's renditions, with its `/`.  Raises ValueError for a key that is no upload's."""
    if not key.startswith(UPLOADS) or key.endswith("/"):
        raise ValueError(f"{key} is not below {UPLOADS}")
    return RENDITIONS + key.removeprefix(UPLOADS) + "/"


def rendition(key: str, size: str) -> str:
    """The key of one rendition of the upload `key`."""
    return f"{renditions(key)}{size}.jpg"


def details(key: str) -> str:
    """Where the processor says what it found in the upload `key`, when all renditions are there."""
    return renditions(key) + DETAILS


def refusal(key: str) -> str:
    """Where the processor says why it made no renditions of the upload `key`."""
    return renditions(key) + REFUSED
