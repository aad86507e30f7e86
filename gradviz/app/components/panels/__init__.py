"""The browser side of the live view: one small ES module per kind of panel."""
