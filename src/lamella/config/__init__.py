"""A project's directory in, frozen `Settings` out; and, for a project that has none yet, a section to start with.

May read lamella.toml, pyproject.toml and, to propose functions, the project's sources.  Nothing is imported or run.
Never writes, never asks the network, the clock or the environment: the same files give the same `Settings`.
"""
