"""Words in, exit codes out: one file a command, each with `add_arguments` and `run`.

Parses, calls `build` or a room, hands their values to `report`.  The only place that knows both.
Imports a room only when its command runs, so that every command starts fast.
Never decides what a room should decide, and shows no traceback for what a person can cause.
"""
