"""ELF files: which of their bytes the loader maps, and what they ask of other libraries.

Takes bytes, gives values or bytes.  Touches nothing, runs nothing; the same on every machine.
Never moves or changes a byte that a program header maps.
"""
