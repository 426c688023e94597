"""Units behind the extension interface of the cores."""
