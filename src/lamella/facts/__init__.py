"""Nothing in, dated facts out: Lambda's runtimes and limits, what a runtime ships, the standard library's modules.

Touches nothing but its own TOML files, which every row of dates and names the public source of.
Facts are data: where AWS or Python changes, a table changes and no code does.
Never asks the network, and never guesses: a row that nobody verified says so.
"""
