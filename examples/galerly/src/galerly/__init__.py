"""Photo galleries: `api` answers requests, `images` makes renditions of what is uploaded."""
