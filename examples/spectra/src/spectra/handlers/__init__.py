"""One module for each function."""
