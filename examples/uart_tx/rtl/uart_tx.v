`include "uart_defs.vh"

// A serial transmitter: takes a byte when valid and ready, sends it least
// significant bit first.
module uart_tx #(
    parameter DIVISOR = 16  // clocks a bit
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [`UART_DATA_BITS-1:0] data,
    input  wire                       valid,
    output wire                       ready,
    output wire                       txd
);

  localparam FRAME = `UART_DATA_BITS + 2;

  // The rest of the frame, next bit in front; a one marks its end, so that
  // nothing has to be counted.
  reg [FRAME-1:0] shift;
  reg busy;
  wire tick;

  assign ready = !busy;
  assign txd   = busy ? shift[0] : `UART_IDLE;

  baud_tick #(
      .DIVISOR(DIVISOR)
  ) baud (
      .clk(clk),
      .rst(rst),
      .enable(busy),
      .tick(tick)
  );

  always @(posedge clk)
    if (rst) begin
      busy  <= 1'b0;
      shift <= {FRAME{1'b0}};
    end else if (!busy) begin
      if (valid) begin
        busy  <= 1'b1;
        shift <= {1'b1, data, `UART_START};
      end
    end else if (tick) begin
      shift <= shift >> 1;
      busy  <= shift != {{FRAME - 1{1'b0}}, 1'b1};
    end

endmodule
