"""The debug module and its transports."""
