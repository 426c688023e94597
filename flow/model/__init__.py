"""Pure data: what a flow is about. Nothing here reads a file or starts a process."""
