// Sum of two IEEE 754 half-precision numbers, to nearest even, with subnormals, infinities and NaN;
// one register in the middle, operands and result registered.
module fp16_add (
  input clk, input [15:0] a, input [15:0] b, output reg [15:0] sum
);
  reg [15:0] ra, rb;
  // The larger magnitude first.
  wire swap = rb[14:0] > ra[14:0];
  wire [15:0] p = swap ? rb : ra;
  wire [15:0] q = swap ? ra : rb;
  wire [4:0] pe = p[14:10] == 0 ? 5'd1 : p[14:10];
  wire [4:0] qe = q[14:10] == 0 ? 5'd1 : q[14:10];
  wire [10:0] pm = {p[14:10] != 0, p[9:0]};
  wire [10:0] qm = {q[14:10] != 0, q[9:0]};
  wire [4:0] distance = pe - qe;
  wire [13:0] wide = {qm, 3'b0};
  wire [13:0] moved = wide >> distance;
  wire [13:0] kept = moved << distance;
  wire sticky = distance > 13 ? |qm : kept != wide;
  wire subtract = p[15] ^ q[15];
  wire [14:0] addend = {1'b0, moved[13:1], moved[0] | sticky};

  reg [14:0] total;
  reg [4:0] exponent;
  reg sign, special, nan, both_zero_sign;

  // Second half: normalise and round.
  reg [3:0] lead;
  reg [14:0] normal;
  reg [5:0] e;
  reg [10:0] rounded;
  reg [15:0] value;
  integer i;
  always @* begin
    lead = 14;
    for (i = 0; i < 15; i = i + 1) if (total[i]) lead = 14 - i;
    // No further to the left than the exponent allows: what is left is subnormal.
    e = {1'b0, exponent} + 6'd1;
    if ({2'b0, lead} >= e) begin
      normal = total << (e - 6'd1);
      e = 0;
    end else begin
      normal = total << lead;
      e = e - {2'b0, lead};
    end
    rounded = {1'b0, normal[13:4]} + (normal[3] & (normal[4] | |normal[2:0]));
    value = {sign, e[4:0], 10'b0} + {5'b0, rounded};
    if (e >= 31 || value[14:10] == 31) value = {sign, 5'd31, 10'd0};
    if (total == 0) value = {both_zero_sign, 15'd0};
    if (special) value = nan ? 16'h7e00 : {sign, 5'd31, 10'd0};
  end

  always @(posedge clk) begin
    ra <= a; rb <= b;
    total <= subtract ? {1'b0, pm, 3'b0} - addend : {1'b0, pm, 3'b0} + addend;
    exponent <= pe;
    sign <= p[15];
    both_zero_sign <= ra[15] & rb[15];
    special <= p[14:10] == 31;
    nan <= (p[14:10] == 31 && p[9:0] != 0) || (subtract && q[14:10] == 31);
    sum <= value;
  end
endmodule
