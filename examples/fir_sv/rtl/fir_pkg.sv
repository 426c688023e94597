// Types and coefficients of the filter.
package fir_pkg;

  localparam int unsigned Taps = 4;
  localparam int unsigned CoeffWidth = 6;

  typedef logic signed [CoeffWidth-1:0] coeff_t;

  // A low pass; the coefficients add up to 16, so that a constant comes out 16 times itself.
  localparam coeff_t [Taps-1:0] Coeffs = '{6'sd3, 6'sd5, 6'sd5, 6'sd3};

endpackage
