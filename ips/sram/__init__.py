"""Memory with one port, as SRAM macros have it."""
