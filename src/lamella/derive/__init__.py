"""Members that differ from the wheel's: blanked libraries, bytecode, streams of maximum compression.

Takes entries, gives entries whose bytes lie in a store under the digest of their inputs: computed once, then copied.
May touch the store and run a target's interpreter.  Never decides what goes in.
"""
