"use strict";
// The table of points: only rows in sight are elements. And the menus of columns, and the CSV.
(function () {
  const S = window.sweep, box = S.$("t-points"), head = S.$("t-head"), list = S.$("t-rows"), HIGH = 30;
  let shown = [], template = "", keys = [], drawn = new Map(), signature = "";
  const collator = new Intl.Collator("en", { numeric: true });
  const wide = (c) => (c.key === "why" ? 320 : c.kind === "cat" ? Math.min(180, Math.max(84, 8 * Math.max(...c.levels.map((l) => l.length), c.label.length) + 24)) : Math.min(190, Math.max(96, 7.2 * S.title(c).length + 22)));
  function sorted() {
    const rows = [];
    for (let row = 0; row < S.total; row += 1) if (S.match[row]) rows.push(row);
    const down = S.state.sort.startsWith("-"), key = S.state.sort.replace(/^-/, ""), c = S.col(key), sign = down ? -1 : 1;
    if (key === "id") rows.sort((a, b) => sign * collator.compare(S.data.ids[a], S.data.ids[b]));
    else if (c) rows.sort((a, b) => { const x = c.v[a], y = c.v[b]; return x !== x ? (y !== y ? a - b : 1) : y !== y ? -1 : sign * (x - y) || a - b; });
    return rows;
  }
  function header() {
    const now = keys.join();
    if (now === signature) return;
    signature = now;
    head.textContent = "";
    const sorts = S.make("div", "tr sorts"), ranges = S.make("div", "tr");
    sorts.setAttribute("role", "row");
    sorts.setAttribute("aria-rowindex", 1);
    ranges.setAttribute("role", "row");
    sorts.style.gridTemplateColumns = ranges.style.gridTemplateColumns = template;
    const cell = (node) => { node.setAttribute("role", "columnheader"); return node; };
    const add = (key, word, tip) => {
      const button = S.make("button", "", word);
      button.type = "button";
      button.dataset.by = key;
      button.title = tip;
      button.addEventListener("click", () => S.change({ sort: S.state.sort === key ? `-${key}` : key }));
      sorts.append(cell(S.make("span", S.col(key) && S.col(key).kind === "num" ? "n" : "", button)));
    };
    add("id", "Point", "Point");
    ranges.append(S.make("span"));
    for (const key of keys) {
      const c = S.col(key);
      add(key, S.title(c), S.title(c));
      if (c.kind === "cat") {
        const pick = S.make("select");
        pick.dataset.set = key;
        pick.setAttribute("aria-label", `Filter ${c.label}`);
        pick.append(new Option("all", ""), ...c.levels.map((name, n) => new Option(name.slice(0, 60), n)));
        pick.addEventListener("change", () => { delete S.state.sets[key]; if (pick.value !== "") S.state.sets[key] = [Number(pick.value)]; S.change({}); });
        ranges.append(S.make("span", "", pick));
      } else {
        const field = (end) => {
          const input = S.make("input");
          input.placeholder = end ? "max" : "min";
          input.inputMode = "decimal";
          input.dataset.range = key;
          input.dataset.end = end;
          input.setAttribute("aria-label", `${end ? "Largest" : "Smallest"} ${S.title(c)}`);
          input.addEventListener("change", () => {
            const range = S.state.ranges[key] || [-Infinity, Infinity], n = Number(input.value.replaceAll(",", "").replace("\u2212", "-"));
            range[end] = input.value.trim() === "" || n !== n ? (end ? Infinity : -Infinity) : n / c.factor;
            if (range[0] === -Infinity && range[1] === Infinity) delete S.state.ranges[key]; else S.state.ranges[key] = range;
            S.change({});
          });
          return input;
        };
        ranges.append(S.make("span", "range", field(0), field(1)));
      }
    }
    sorts.append(cell(S.make("span", "", "Run")));
    ranges.append(S.make("span"));
    head.append(sorts, ranges);
  }
  function reflect() {
    const by = S.state.sort.replace(/^-/, "");
    for (const button of head.querySelectorAll("[data-by]")) {
      if (button.dataset.by === by) button.parentElement.setAttribute("aria-sort", S.state.sort.startsWith("-") ? "descending" : "ascending");
      else button.parentElement.removeAttribute("aria-sort");
    }
    for (const input of head.querySelectorAll("[data-range]")) if (input !== document.activeElement) {
      const range = S.state.ranges[input.dataset.range], v = range ? range[Number(input.dataset.end)] : Infinity;
      input.value = Number.isFinite(v) ? S.round(v * S.col(input.dataset.range).factor) : "";
    }
    for (const pick of head.querySelectorAll("[data-set]")) { const set = S.state.sets[pick.dataset.set]; pick.value = set && set.length === 1 ? String(set[0]) : ""; }
  }
  function line(place) {
    const row = shown[place], node = S.make("div", "tr");
    node.setAttribute("role", "row");
    node.setAttribute("aria-rowindex", place + 2);
    node.dataset.row = row;
    node.dataset.place = place;
    node.style.gridTemplateColumns = template;
    node.style.top = `${place * HIGH}px`;
    const id = S.make("button", "id", S.data.ids[row]);
    id.type = "button";
    const cells = [S.make("span", "", id, S.isFront(row) ? " ◆" : "")];
    for (const key of keys) {
      const c = S.col(key), said = key === "why" ? S.data.said[row] || "—" : S.text(c, c.v[row]);
      const cell = S.make("span", c.kind === "num" ? "n" : "", said);
      cell.dataset.key = key;
      if (said.length > 18) cell.title = said;
      cells.push(cell);
    }
    const code = S.make("code", "vh", S.command(row)), copy = S.make("button", "", "Copy"), run = S.make("span", "");
    code.id = `cmd-${row}`;
    copy.type = "button";
    copy.dataset.copy = code.id;
    copy.setAttribute("aria-label", `Copy the command of ${S.data.ids[row]}`);
    if (S.command(row)) run.append(copy, code, " ");
    if (S.report(row)) { const link = S.make("a", "", "report"); link.href = S.report(row); run.append(link); }
    cells.push(run);
    for (const cell of cells) cell.setAttribute("role", "cell");
    node.append(...cells);
    node.classList.toggle("hot", row === S.hot);
    node.classList.toggle("open", S.data.ids[row] === S.state.p);
    return node;
  }
  function paint() {
    const top = Math.max(0, box.scrollTop - head.offsetHeight), from = Math.max(0, Math.floor(top / HIGH) - 6), to = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / HIGH) + 6);
    for (const [place, node] of drawn) if (place < from || place >= to) { node.remove(); drawn.delete(place); }
    for (let place = from; place < to; place += 1) if (!drawn.has(place)) { const node = line(place); drawn.set(place, node); list.append(node); }
  }
  let before = "";
  function layout() {
    keys = S.state.cols.filter((key) => S.col(key));
    template = ["128px", ...keys.map((key) => `${Math.round(wide(S.col(key)))}px`), "132px"].join(" ");
    const width = 260 + keys.reduce((sum, key) => sum + Math.round(wide(S.col(key))), 0);
    header();
    reflect();
    shown = sorted();
    list.textContent = "";
    drawn = new Map();
    list.style.height = `${Math.max(1, shown.length) * HIGH}px`;
    list.style.minWidth = `${width}px`;
    box.setAttribute("aria-rowcount", shown.length + 1);
    const now = S.state.sort + shown.length + S.state.q;
    if (now !== before) box.scrollTop = 0;
    before = now;
    if (!shown.length) list.append(S.make("p", "empty", " No point passes the filters."));
    paint();
    S.$("s-csv").textContent = `CSV of ${shown.length.toLocaleString("en")} points`;
  }
  S.drawers.push(layout);
  S.hovered.push((row) => { for (const node of list.children) node.classList.toggle("hot", Number(node.dataset.row) === row); });
  let waiting = 0;
  box.addEventListener("scroll", () => { if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; paint(); }); }, { passive: true });
  list.addEventListener("pointerover", (event) => { const node = event.target.closest(".tr"); S.hover(node ? Number(node.dataset.row) : -1); });
  list.addEventListener("pointerleave", () => S.hover(-1));
  list.addEventListener("click", (event) => {
    const node = event.target.closest(".tr");
    if (node && !event.target.closest("a, [data-copy]")) S.open(Number(node.dataset.row), Boolean(event.target.closest("button")) && event.detail === 0);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], node = event.target.closest(".tr");
    if (!step || !node) return;
    event.preventDefault();
    const place = Math.min(shown.length - 1, Math.max(0, Number(node.dataset.place) + step)), top = place * HIGH;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + HIGH > box.scrollTop + box.clientHeight - head.offsetHeight) box.scrollTop = top + HIGH - box.clientHeight + head.offsetHeight;
    paint();
    drawn.get(place).querySelector("button").focus({ preventScroll: true });
    S.hover(shown[place]);
  });

  // Menus: which columns the table has, and which axes are drawn in parallel.
  for (const [id, key] of [["s-columns", "cols"], ["s-paxes", "po"]]) {
    const ticks = [];
    for (const [word, own] of S.grouped()) {
      S.$(id).append(S.make("b", "", word));
      for (const c of own) {
        const tick = S.make("input");
        tick.type = "checkbox";
        tick.value = c.key;
        tick.addEventListener("change", () => S.change({ [key]: tick.checked ? [...S.state[key], c.key] : S.state[key].filter((k) => k !== c.key) }));
        ticks.push(tick);
        S.$(id).append(S.make("label", "", tick, ` ${S.title(c)}`));
      }
    }
    S.drawers.push(() => { for (const tick of ticks) tick.checked = S.state[key].includes(tick.value); });
  }

  // Values in their own units, as in sweep.json, of every column and of the rows that the table shows.
  const quote = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  S.$("s-csv").addEventListener("click", () => {
    const own = S.data.columns.filter((c) => c.group !== "level" && c.key !== "why");
    const lines = [["id", ...own.map((c) => c.label.toLowerCase() + (c.raw && c.raw !== "count" ? ` [${c.raw}]` : "")), "reason", "command"]];
    for (const row of shown) lines.push([S.data.ids[row], ...own.map((c) => { const v = c.v[row]; return v !== v ? "" : c.kind === "cat" ? c.levels[v] : String(v); }), S.data.said[row], S.command(row)]);
    const link = S.make("a");
    link.href = URL.createObjectURL(new Blob([lines.map((cells) => cells.map(quote).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = `${S.data.name.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 60) || "sweep"}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  S.draw();
})();
