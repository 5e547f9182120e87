"""The heavy function: everything that needs an image library."""
