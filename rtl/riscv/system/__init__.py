"""Control and status registers, traps, interrupts, memory protection, triggers."""
