"""Takes the files of a layer's wheels, as `contents.place` places them, and the rules of the configuration.

Gives a `Fate` for each file: whether it stays, which rule decided and why, in one sentence for people.
May touch the cached wheels, to read Python sources, texts and ELF files in them; reads each and holds none.
Never changes a file, imports or parses what it reads, or drops a module that kept code imports.
"""
