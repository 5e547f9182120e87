"""A project that packages by other means → the configuration that would build the same.

Takes a folder, gives a proposal, and what could not be mapped.  Reads files of the project.
Never writes, never runs what it reads.
"""
