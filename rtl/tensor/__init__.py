"""The AI accelerator: MAC tile, its model, and (later) memories, sequencing and compiler."""
