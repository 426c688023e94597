// Included in `harness`: memory in regions, in C++ for Verilator, in an array for Icarus.
//
// memory_read, memory_write: one aligned word; `missing` where no memory lies.
// memory_fetch: FETCH_WORDS words with the error bit above them.
`ifdef VERILATOR

  import "DPI-C" function int unsigned harness_read(
      input int unsigned address, output int unsigned data);
  import "DPI-C" function int unsigned harness_write(
      input int unsigned address, input int unsigned strobe, input int unsigned data);
  import "DPI-C" function int unsigned harness_fetch(
      input int unsigned address, output longint unsigned data);

  import "DPI-C" function void harness_done();

  reg [31:0] unmapped;
  reg [63:0] fetch_words;

  task memory_read(input [31:0] address, output [31:0] data, output missing);
    begin
      unmapped = harness_read(address, data);
      missing = unmapped[0];
    end
  endtask

  task memory_write(input [31:0] address, input [3:0] strobe, input [31:0] data, output missing);
    begin
      unmapped = harness_write(address, {28'd0, strobe}, data);
      missing = unmapped[0];
    end
  endtask

  task memory_fetch(input [31:0] address, output [32*FETCH_WORDS:0] words);
    begin
      unmapped = harness_fetch(address, fetch_words);
      words = {unmapped[0], fetch_words[32*FETCH_WORDS-1:0]};
    end
  endtask

`else

`ifndef HARNESS_MEMORY_WORDS
`define HARNESS_MEMORY_WORDS 1048576
`endif

  reg [31:0] memory[0:`HARNESS_MEMORY_WORDS-1];
  reg [31:0] region_base[0:7];
  reg [31:0] region_size[0:7];
  reg [31:0] region_index[0:7];
  reg [8*1024-1:0] image_name;
  integer regions = 0, m;
  reg [31:0] region_value = 0;
  reg [8*24-1:0] option;
  reg region_given;

  initial begin
    region_index[0] = 0;
    for (m = 0; m < 8; m = m + 1) region_size[m] = 0;
    for (m = 0; m < 8; m = m + 1) begin
      $sformat(option, "region%0d_base=%%h", m);
      region_given = $value$plusargs(option, region_value);
      region_base[m] = region_value;
      $sformat(option, "region%0d_size=%%h", m);
      if (region_given && $value$plusargs(option, region_value)) begin
        region_size[m] = region_value;
        regions = m + 1;
      end
    end
    for (m = 1; m < 8; m = m + 1)
      region_index[m] = region_index[m-1] + (region_size[m-1] >> 2);
    for (m = 0; m < `HARNESS_MEMORY_WORDS; m = m + 1) memory[m] = 0;
    if ($value$plusargs("image=%s", image_name)) $readmemh(image_name, memory);
  end

  reg [31:0] found;

  // Where in `memory` a word lies, all ones for nowhere.
  task find(input [31:0] address);
    integer r;
    begin
      found = 32'hffff_ffff;
      for (r = 0; r < regions; r = r + 1)
        if (address - region_base[r] < region_size[r])
          found = region_index[r] + ((address - region_base[r]) >> 2);
    end
  endtask

  task memory_read(input [31:0] address, output [31:0] data, output missing);
    begin
      find(address);
      missing = found == 32'hffff_ffff;
      data = missing ? 32'd0 : memory[found];
    end
  endtask

  task memory_write(input [31:0] address, input [3:0] strobe, input [31:0] data, output missing);
    begin
      find(address);
      missing = found == 32'hffff_ffff;
      if (!missing) memory[found] = merged(memory[found], data, strobe);
    end
  endtask

  task memory_fetch(input [31:0] address, output [32*FETCH_WORDS:0] words);
    integer w;
    begin
      words = 0;
      for (w = 0; w < FETCH_WORDS; w = w + 1) begin
        find(address + 4 * w);
        if (found == 32'hffff_ffff) words[32*FETCH_WORDS] = 1;
        else words[32*w+:32] = memory[found];
      end
    end
  endtask

`endif
