"""Bus masters between a core and Wishbone or AXI4-Lite."""
