"""A function's processes: AWS's own runtime client in the sandbox, and the Runtime API that it speaks with.

Takes how a function is started (`Launch`) and what is asked of it (`Asked`), gives what came of it (`Result`).
May start processes, and listen on loopback; ends all that it started.  Never prints, never looks into an event.
"""
