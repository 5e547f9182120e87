"""A function's source and what its layers hold in, findings out: does it have all that it needs?

Reads source text and lists of paths; touches no file by itself.  Every decision is pure and gives its reasons.
An import that nothing provides is an error with file, line and the layer that could provide it.
Never imports or runs what it reads.
"""
