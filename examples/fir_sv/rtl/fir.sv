// A finite impulse response filter in transposed form: one multiplier and one
// adder between registers, whatever the number of taps.
module fir
  import fir_pkg::*;
#(
    parameter int unsigned Width = 8,
    localparam int unsigned Sum = Width + CoeffWidth + $clog2(Taps)
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    input  logic                    valid_i,
    input  logic signed [Width-1:0] sample_i,
    output logic                    valid_o,
    output logic signed [Sum-1:0]   result_o
);

  typedef struct packed {
    logic                valid;
    logic signed [Sum-1:0] sum;
  } stage_t;

  stage_t [Taps-1:0] stage_q;

  for (genvar i = 0; i < int'(Taps); i++) begin : gen_tap
    logic signed [Sum-1:0] product, carried;

    assign product = Sum'(sample_i) * Sum'(Coeffs[i]);

    if (i == int'(Taps) - 1) begin : gen_last
      assign carried = '0;
    end else begin : gen_chain
      assign carried = stage_q[i+1].sum;
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        stage_q[i] <= '0;
      end else begin
        stage_q[i].valid <= valid_i;
        if (valid_i) stage_q[i].sum <= product + carried;
      end
    end
  end

  assign valid_o  = stage_q[0].valid;
  assign result_o = stage_q[0].sum;

endmodule
