"""Parts of a datapath: decoder, ALU, multiplier, divider, expander of compressed instructions."""
