"use strict";
// State, filters and numbers that all charts of a sweep share. A brush is a filter, so a view is its fragment.
window.sweep = (function () {
  const source = document.getElementById("sweep-data");
  const data = JSON.parse(source.textContent);
  source.remove();
  const total = data.ids.length;
  const $ = (id) => document.getElementById(id);
  const make = (tag, cls, ...children) => {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    node.append(...children);
    return node;
  };
  const columns = new Map();
  for (const column of data.columns) {
    column.v = Float64Array.from(column.values, (value) => (value === null ? NaN : value));
    delete column.values;
    let low = Infinity, high = -Infinity, known = 0;
    for (const value of column.v) if (value === value) { known += 1; if (value < low) low = value; if (value > high) high = value; }
    Object.assign(column, { low, high, known, factor: column.factor || 1, distinct: new Set(column.v.filter((x) => x === x)).size });
    columns.set(column.key, column);
  }
  const col = (key) => columns.get(key);
  const status = col("status"), front = col("front");
  const done = status.levels.indexOf("done"), pdk = col("a:pdk") || col("pdk");
  const feasible = (row) => status.v[row] === done;
  const isFront = (row) => front.v[row] === 1;
  const round = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e9 || size < 1e-4) return value.toExponential(3).replace("-", "\u2212");
    if (Number.isInteger(value)) return value.toLocaleString("en").replace("-", "\u2212");
    const digits = Math.max(0, 3 - Math.floor(Math.log10(size)));
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "\u2212");
  };
  const text = (column, value) => (value !== value ? "—" : column.kind === "cat" ? column.levels[value]
    : round(column.group === "axis" ? Number((value * column.factor).toPrecision(6)) : value * column.factor));
  const title = (column) => column.label + (column.unit ? ` (${column.unit})` : "");
  const sigma = (column, value) => !column.noise ? null : typeof column.noise.relative === "number" ? Math.abs(column.noise.relative * value)
    : typeof column.noise.sigma === "number" ? column.noise.sigma : null;
  const command = (row) => data.commands[row].map((word) => data.words[word]).join(" ");
  const report = (row) => {
    const path = data.reports[row];
    return !path || /^[/\\]|^[a-z][a-z0-9+.-]*:|(^|\/)\.\.(\/|$)/i.test(path) ? null : path.split("/").map(encodeURIComponent).join("/");
  };

  // State. Ranges hold values in the column's own unit; sets hold places of levels.
  const of = (group) => data.columns.filter((c) => c.group === group && c.known).map((c) => c.key);
  const goals = of("objective");
  const usual = () => ({
    x: goals[0] || of("axis")[0], y: goals[1] || of("metric")[0] || goals[0] || of("axis")[0], c: pdk ? pdk.key : "fidelity",
    lx: "", ly: "", pareto: pdk && pdk.distinct > 1 ? "pdk" : "all", noise: 1, same: 1, q: "", st: "", front: 0, sort: "", p: "",
    po: [...of("axis").slice(0, 9), ...goals], cols: ["status", "fidelity", ...of("axis"), ...goals],
    ranges: {}, sets: {},
  });
  let state = usual();
  const isLog = (key, set) => {
    const c = col(key);
    return c.kind === "num" && c.low > 0 && (set === "" ? Boolean(c.log) || c.high / c.low > 50 : Boolean(Number(set)));
  };

  // The fragment.
  const plain = ["x", "y", "c", "lx", "ly", "pareto", "noise", "same", "q", "st", "front", "sort", "p"];
  const escape = (value) => encodeURIComponent(value).replace(/%3A/g, ":").replace(/%2C/g, ",");
  function written() {
    const base = usual(), parts = [];
    for (const key of plain) if (String(state[key]) !== String(base[key])) parts.push(`${key}=${escape(state[key])}`);
    for (const key of ["po", "cols"]) if (state[key].join() !== base[key].join()) parts.push(`${key}=${escape(state[key].map(encodeURIComponent).join(","))}`);
    for (const [key, [low, high]] of Object.entries(state.ranges)) parts.push(`r.${escape(key)}=${low === -Infinity ? "" : low}..${high === Infinity ? "" : high}`);
    for (const [key, set] of Object.entries(state.sets)) parts.push(`s.${escape(key)}=${escape(set.map((n) => encodeURIComponent(col(key).levels[n])).join(","))}`);
    return parts.join("&");
  }
  function read(fragment) {
    state = usual();
    for (const part of fragment.split("&")) {
      const cut = part.indexOf("=");
      if (cut < 0) continue;
      let key, value;
      try { key = decodeURIComponent(part.slice(0, cut)); value = decodeURIComponent(part.slice(cut + 1)); } catch (_) { continue; }
      if (key.startsWith("r.") && col(key.slice(2))) {
        const [low, high] = value.split("..");
        const a = low === "" ? -Infinity : Number(low), b = !high ? Infinity : Number(high);
        if (a === a && b === b) state.ranges[key.slice(2)] = [a, b];
      } else if (key.startsWith("s.") && col(key.slice(2)) && col(key.slice(2)).levels) {
        const names = value.split(",").map((n) => { try { return decodeURIComponent(n); } catch (_) { return n; } });
        const set = names.map((n) => col(key.slice(2)).levels.indexOf(n)).filter((n) => n >= 0);
        if (set.length) state.sets[key.slice(2)] = set;
      } else if (key === "po" || key === "cols") {
        const keys = value.split(",").map((n) => { try { return decodeURIComponent(n); } catch (_) { return n; } }).filter((n) => columns.has(n));
        if (keys.length) state[key] = Array.from(new Set(keys));
      } else if (["x", "y", "c"].includes(key)) { if (columns.has(value)) state[key] = value; }
      else if (["front", "noise", "same"].includes(key)) state[key] = Number(value) ? 1 : 0;
      else if (plain.includes(key)) state[key] = value;
    }
  }

  // Filters.
  const match = new Uint8Array(total).fill(1);
  let matched = 0, hay = null;
  function haystack() {
    const texts = data.columns.filter((c) => c.group === "axis" || ["status", "fidelity"].includes(c.key));
    return data.ids.map((id, row) => ` ${id} ${texts.map((c) => { const t = text(c, c.v[row]).replaceAll(",", ""); return `${c.label}=${t} ${c.label.split(".").pop()}=${t}`; }).join(" ")} ${data.said[row]} `.toLowerCase());
  }
  function filter() {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !hay) hay = haystack();
    const ranges = Object.entries(state.ranges).map(([key, [low, high]]) => { const e = 1e-9 * Math.max(Math.abs(low === -Infinity ? 0 : low), Math.abs(high === Infinity ? 0 : high)); return [col(key).v, low - e, high + e]; });
    const sets = Object.entries(state.sets).map(([key, set]) => [col(key).v, new Set(set)]);
    const wanted = state.st === "" ? -1 : status.levels.indexOf(state.st);
    matched = 0;
    for (let row = 0; row < total; row += 1) {
      const fits = (wanted < 0 || status.v[row] === wanted) && (!state.front || isFront(row))
        && ranges.every(([v, low, high]) => v[row] >= low && v[row] <= high) && sets.every(([v, set]) => set.has(v[row]))
        && words.every((w) => hay[row].includes(w.includes("=") ? ` ${w} ` : w));
      match[row] = fits ? 1 : 0;
      if (fits) matched += 1;
    }
  }

  // Whoever draws says so here. Drawing waits for the next frame, and the fragment for a pause.
  const drawers = [], hovered = [];
  let waiting = 0, saving = 0;
  function draw() {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; for (const one of drawers) one(); });
  }
  function save() {
    clearTimeout(saving);
    saving = setTimeout(() => {
      const now = written();
      history.replaceState(null, "", now ? `#${now}` : location.pathname + location.search);
    }, 150);
  }
  function change(edit) { Object.assign(state, edit); filter(); panel(); save(); draw(); }
  function limit(key, low, high) {
    const c = col(key);
    delete state.ranges[key];
    delete state.sets[key];
    if (low !== null && c.kind === "cat") {
      const set = c.levels.map((_, n) => n).filter((n) => n >= low - 1e-9 && n <= high + 1e-9);
      if (set.length && set.length < c.levels.length) state.sets[key] = set;
    } else if (low !== null) state.ranges[key] = [low, high].map((v) => (Number.isFinite(v) ? Number(v.toPrecision(5)) : v));
  }
  let hot = -1;
  function hover(row, x, y) { if (row !== hot) { hot = row; for (const one of hovered) one(row); } tip(row, x, y); }

  // The bar of filters.
  function panel() {
    const chips = $("s-chips");
    chips.textContent = "";
    const chip = (said, undo) => {
      const button = make("button", "", "×");
      button.type = "button";
      button.setAttribute("aria-label", `Remove filter ${said}`);
      button.addEventListener("click", () => { undo(); change({}); });
      chips.append(make("span", "chip", said, button));
    };
    for (const [key, [low, high]] of Object.entries(state.ranges)) {
      const c = col(key);
      chip(`${c.label} ${low === -Infinity ? "≤" : text(c, low)}${low === -Infinity || high === Infinity ? "" : " to"} ${high === Infinity ? "or more" : text(c, high)} ${c.unit}`.trim(), () => delete state.ranges[key]);
    }
    for (const [key, set] of Object.entries(state.sets)) {
      const said = set.map((n) => col(key).levels[n]).join(", ");
      chip(`${col(key).label}: ${said.length > 60 ? `${said.slice(0, 60)}…` : said}`, () => delete state.sets[key]);
    }
    $("s-hits").textContent = matched === total ? `${total.toLocaleString("en")} points` : `${matched.toLocaleString("en")} of ${total.toLocaleString("en")} points`;
    for (const [id, key] of [["s-text", "q"], ["s-status", "st"], ["s-x", "x"], ["s-y", "y"], ["s-c", "c"], ["s-pareto", "pareto"]]) {
      if ($(id) && $(id).value !== state[key]) $(id).value = state[key];
    }
    for (const [id, value] of [["s-front", state.front], ["s-noise", state.noise], ["s-same", state.same], ["s-lx", isLog(state.x, state.lx)], ["s-ly", isLog(state.y, state.ly)]]) if ($(id)) $(id).checked = Boolean(value);
    for (const [id, key] of [["s-lx", "x"], ["s-ly", "y"]]) $(id).disabled = !(col(state[key]).kind === "num" && col(state[key]).low > 0);
    drawer();
  }
  const GROUPS = [["objective", "Objectives"], ["axis", "Axes"], ["derived", "Derived"], ["metric", "Metrics"], ["level", "By fidelity"], ["point", "Point"]];
  const grouped = () => GROUPS.map(([g, word]) => [word, data.columns.filter((c) => c.group === g && c.known)]).filter(([, own]) => own.length);
  for (const id of ["s-x", "s-y", "s-c"]) for (const [word, own] of grouped()) {
    const group = make("optgroup");
    group.label = word;
    for (const c of own) if (c.key !== "why") group.append(new Option(title(c), c.key));
    $(id).append(group);
  }
  $("s-status").append(new Option("All", ""), ...status.levels.map((name) => new Option(name, name)));
  $("s-pareto").append(new Option("of all points", "all"), ...(pdk && pdk.distinct > 1 ? [new Option("of each PDK", "pdk")] : []), new Option("none", ""));
  for (const [id, key, event] of [["s-text", "q", "input"], ["s-status", "st", "change"], ["s-c", "c", "change"], ["s-pareto", "pareto", "change"]]) $(id).addEventListener(event, () => change({ [key]: $(id).value }));
  $("s-x").addEventListener("change", () => change({ x: $("s-x").value, lx: "" }));
  $("s-y").addEventListener("change", () => change({ y: $("s-y").value, ly: "" }));
  for (const [id, key] of [["s-front", "front"], ["s-noise", "noise"], ["s-same", "same"], ["s-lx", "lx"], ["s-ly", "ly"]]) if ($(id)) $(id).addEventListener("change", () => change({ [key]: $(id).checked ? 1 : 0 }));
  const clear = () => change({ q: "", st: "", front: 0, ranges: {}, sets: {} });
  $("s-clear").addEventListener("click", clear);
  $("s-link").addEventListener("click", async () => {
    const url = `${location.href.split("#")[0]}#${written()}`;
    try { await navigator.clipboard.writeText(url); $("s-link").textContent = "Copied"; } catch (_) { location.hash = written(); $("s-link").textContent = "It is in the address"; }
    setTimeout(() => { $("s-link").textContent = "Copy link"; }, 2000);
  });

  // What hovers, and the point that is open.
  const bubble = make("div", "pt-tip");
  bubble.hidden = true;
  document.body.append(bubble);
  const facts = (row) => data.columns.filter((c) => (c.group === "axis" || c.group === "objective" || c.key === state.x || c.key === state.y) && c.v[row] === c.v[row]);
  const value = (c, row) => {
    const s = sigma(c, c.v[row]);
    return `${text(c, c.v[row])}${s ? ` ± ${round(Number((1.96 * s * c.factor).toPrecision(2)))}` : ""} ${c.unit}`.trim();
  };
  function tip(row, x, y) {
    bubble.hidden = row < 0 || x === undefined;
    if (bubble.hidden) return;
    bubble.textContent = "";
    const head = make("b", "", `${data.ids[row]} · ${status.levels[status.v[row]]}, ${text(col("fidelity"), col("fidelity").v[row])}${isFront(row) ? " · front" : ""}`);
    const body = make("tbody");
    for (const c of facts(row)) body.append(make("tr", "", make("td", "", c.label), make("td", "", value(c, row))));
    bubble.append(head, make("table", "", body));
    if (data.said[row]) bubble.append(make("div", "bad", data.said[row].slice(0, 160)));
    bubble.style.left = `${Math.max(4, x + 16 + bubble.offsetWidth > innerWidth ? x - bubble.offsetWidth - 16 : x + 16)}px`;
    bubble.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - bubble.offsetHeight - 8))}px`;
  }
  let aside = null, shown = "";
  function drawer() {
    if (state.p === shown) return;
    shown = state.p;
    if (aside) aside.remove();
    aside = null;
    const row = data.ids.indexOf(state.p);
    document.body.classList.toggle("drawn", row >= 0);
    if (row < 0) return;
    const close = make("button", "", "Close");
    close.type = "button";
    close.addEventListener("click", () => change({ p: "" }));
    aside = make("aside", "drawer", make("header", "", make("h2", "", state.p), close));
    aside.setAttribute("aria-label", `Point ${state.p}`);
    aside.append(make("p", "note", `${status.levels[status.v[row]]}, evaluated to ${text(col("fidelity"), col("fidelity").v[row])}${isFront(row) ? ", on the Pareto front" : ""}`));
    if (data.said[row]) aside.append(make("p", "bad", data.said[row]));
    const path = report(row);
    if (path) { const link = make("a", "", "Open its run report"); link.href = path; aside.append(make("p", "", link)); }
    if (command(row)) {
      const code = make("code", "", command(row)), button = make("button", "", "Copy");
      code.id = "p-command";
      button.type = "button";
      button.dataset.copy = code.id;
      aside.append(make("div", "command", make("pre", "", code), button));
    }
    for (const [word, own] of grouped()) {
      const known = own.filter((c) => c.key !== "why");
      if (!known.length) continue;
      const list = make("dl", "facts");
      for (const c of known) list.append(make("div", "", make("dt", "", c.label), make("dd", "", value(c, row))));
      aside.append(make("h3", "", word), list);
    }
    document.body.append(aside);
  }
  const open = (row, focus) => { change({ p: data.ids[row] }); if (focus && aside) aside.querySelector("button").focus(); };
  addEventListener("keydown", (event) => { if (event.key === "Escape" && state.p) change({ p: "" }); });
  document.addEventListener("click", (event) => {
    const node = event.target.closest("[data-point], [data-x], [data-why], nav a, .skip");
    if (!node) { for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false; return; }
    if (node.dataset.point) open(data.ids.indexOf(node.dataset.point), true);
    else if (node.dataset.x) { change({ x: node.dataset.x, y: node.dataset.y, lx: "", ly: "" }); $("explore").scrollIntoView(); }
    else if (node.dataset.why !== undefined) {
      const n = col("why").levels.indexOf(node.dataset.why);
      change({ q: "", st: "", front: 0, ranges: {}, sets: n >= 0 ? { why: [n] } : {} });
      $("points").scrollIntoView();
    } else if (node.hash) { const target = $(node.hash.slice(1)); if (target) { event.preventDefault(); target.scrollIntoView(); target.tabIndex = -1; target.focus({ preventScroll: true }); } }
  });
  addEventListener("hashchange", () => { if (location.hash.includes("=")) { read(location.hash.slice(1)); filter(); panel(); draw(); } });
  if (location.hash.includes("=")) read(location.hash.slice(1));
  filter();
  panel();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return { data, total, $, make, col, status, pdk, feasible, isFront, text, title, round, sigma, command, report, isLog, match, drawers, hovered, draw, change, limit, hover, open, grouped, value,
    get state() { return state; }, get matched() { return matched; }, get hot() { return hot; } };
})();
