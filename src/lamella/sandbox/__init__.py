"""Artifacts unpacked as Lambda unpacks them, and a process that sees them as it would there.

Takes zips and a command, gives folders and what the command answered.
May touch the cache and start processes; layers and code are read-only to them.  Never prints, never judges.
"""
