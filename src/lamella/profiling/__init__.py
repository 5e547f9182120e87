"""What a handler's imports cost: `-X importtime` in the sandbox, as a tree of modules with medians.

Takes a function's unpacked artifacts and the target's Python, gives `Profile`s.
May start processes, through the sandbox only.  Never prints, never changes what was built.
"""
