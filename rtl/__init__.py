"""The chips: cores, the AI accelerator, systems."""
