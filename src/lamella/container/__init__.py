"""A container engine, and what is done inside the images that Lambda's runtimes come from.

Takes an image, commands and files; gives the files that came out.  Touches the engine and a temporary folder.
Never keeps a container, never chooses what is built.
"""
