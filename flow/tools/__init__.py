"""One adapter for each external tool: detects it, plans a command, reads its log."""
