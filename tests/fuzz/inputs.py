"""What the fuzzer's bytes mean.  The first one chooses the kind, the others are its content or its choices."""

from __future__ import annotations

from tests.archive import building, mutation

ZIP, DRAWN, WHEEL, INFO = range(4)
_KINDS = (ZIP,) * 6 + (DRAWN,) * 6 + (WHEEL,) * 2 + (INFO,) * 2


class Guided:
    """Choices taken from bytes, so that the fuzzer can learn from them; 0 when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def randrange(self, stop: int, /) -> int:
        """Pick a number below `stop`, from as many bytes as that needs."""
        length = ((stop - 1).bit_length() + 7) // 8
        taken = self._data[self._at : self._at + length]
        self._at += length
        return int.from_bytes(taken, "little") % stop


def kind_of(data: bytes) -> int:
    """Return ZIP, DRAWN, WHEEL or INFO."""
    return _KINDS[data[0] % len(_KINDS)] if data else ZIP


def zip_of(data: bytes) -> bytes | None:
    """Make the zip that the bytes stand for; None when they stand for a file of `.dist-info`."""
    kind, choices = kind_of(data), Guided(data[1:])
    if kind == ZIP:
        return data[1:]
    if kind == DRAWN:
        drawn = mutation.draw_zip(choices)
        for _ in range(choices.randrange(4)):
            drawn = mutation.mutate(choices, drawn)
        return drawn
    if kind == WHEEL:
        parts = [mutation.draw_part(choices, number) for number in range(choices.randrange(4))]
        return building.build(building.wheel_parts(building.FIRST, *parts))
    return None
