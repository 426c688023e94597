"""The ``suzuri`` command: parses, calls the library, prints."""
