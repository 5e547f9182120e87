"""Photo galleries: `api` answers requests, `images` makes thumbnails of what is uploaded."""
