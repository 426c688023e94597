// A synchronous FIFO: a word goes in while valid and ready, and comes out in order.
module fifo #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 8
) (
    input  logic                       clk,
    input  logic                       rst,
    input  logic                       i_valid,
    output logic                       i_ready,
    input  logic [WIDTH-1:0]           i_data,
    output logic                       o_valid,
    input  logic                       o_ready,
    output logic [WIDTH-1:0]           o_data,
    output logic [$clog2(DEPTH+1)-1:0] level
);
    localparam int ADDRESS = $clog2(DEPTH);

    logic [WIDTH-1:0]   words [DEPTH];
    logic [ADDRESS-1:0] head, tail;
    logic               push, pop;

    assign i_ready = level != DEPTH;
    assign o_valid = level != 0;
    assign o_data  = words[head];
    assign push    = i_valid && i_ready;
    assign pop     = o_valid && o_ready;

    function automatic logic [ADDRESS-1:0] next(input logic [ADDRESS-1:0] place);
        return place == DEPTH - 1 ? '0 : place + 1'b1;
    endfunction

    always_ff @(posedge clk) begin
        if (push) words[tail] <= i_data;
        if (rst) begin
            head  <= '0;
            tail  <= '0;
            level <= '0;
        end else begin
            if (push) tail <= next(tail);
            if (pop) head <= next(head);
            level <= level + push - pop;
        end
    end
endmodule
