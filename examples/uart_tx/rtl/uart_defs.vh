// What both sides of the line agree on: one start bit, eight data bits, one stop bit.
`ifndef UART_DEFS_VH
`define UART_DEFS_VH

`define UART_DATA_BITS 8
`define UART_IDLE 1'b1
`define UART_START 1'b0

`endif
