"""The user's index settings in, listings and downloads out: the one room that speaks HTTP, through unearth.

May touch the network, and read the files in which uv, pip and netrc keep their settings.
Knows nothing of wheels: it lists the files that an index has, and fetches bytes into files that it is given.
Never shows a credential, never asks for one, never sends one to another origin than its own.
"""
