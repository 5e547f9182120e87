"""Values in, text out: for a terminal, for a log, as JSON.  The only printers besides argparse.

May touch stdout and stderr, nothing else.  Data goes to stdout; progress, notes and errors go to stderr.
Decides nothing: what is shown was decided before.
"""
