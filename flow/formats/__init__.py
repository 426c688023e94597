"""Pure readers of file formats, which tools, stages and PDK adapters share."""
