"""The mathematics: operations, graphs, the text language and the tape. Knows nothing of drawing, files or the web."""
