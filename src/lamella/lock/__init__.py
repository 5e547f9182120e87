"""Takes a project's folder and what a layer asks of its lock (`Selection`).
Gives `Pins`: every distribution that the lock names, with its source and its marker; then those of one target.
May touch the lock, pyproject.toml and the requirements files, read only, and the `uv` program (which writes uv.lock).
Never resolves versions itself, never asks an index, and never looks at a wheel.
"""
