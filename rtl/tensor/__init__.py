"""The AI accelerator: MAC tile and its model, the accelerator around it, its commands and compiler."""
