"""One file per page of the app."""
