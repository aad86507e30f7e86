"""Browser components of the app and their Python side."""
