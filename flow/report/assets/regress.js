"use strict";
(function () {
  // The table of all results: rows come from the data block, and only those in sight are elements.
  const source = document.getElementById("rows");
  const box = document.getElementById("r-body");
  if (!source || !box) return;
  const data = JSON.parse(source.textContent);
  source.remove();
  const total = data.seed.length;
  const VERDICTS = [
    ["bad", "Fail"], ["bad", "Timeout"], ["bad", "Crash"], ["bad", "Unexpected pass"], ["bad", "Machine failed"],
    ["calm", "Expected failure"], ["mute", "Skipped"], ["good", "Pass"],
  ];
  const BAD = 5, FLAKY = 1, QUARANTINED = 2;
  const SHAPES = {
    good: '<circle cx="8" cy="8" r="7"/><path d="M4.6 8.3l2.3 2.3 4.5-5"/>',
    bad: '<path class="s" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
    mute: '<circle cx="8" cy="8" r="7"/><path d="M4.8 8h6.4"/>',
  };
  SHAPES.calm = SHAPES.good;

  const rare = (name, row) => data[name][row] || 0;
  const filled = (number, row) => data.texts[number].replaceAll("\uffff", data.seed[row]);
  const name = (row) => {
    const test = data.texts[data.test[row]], testcase = data.texts[data.testcase[row]];
    return testcase && testcase !== test ? `${test}.${testcase}` : test;
  };
  const seconds = (s) => {
    if (s === null) return "—";
    if (s < 0.0995) return `${(s * 1e3).toFixed(s < 0.00995 ? 1 : 0)} ms`;
    if (s < 9.95) return `${s < 1 ? s.toFixed(2) : s.toFixed(1)} s`;
    const whole = Math.round(s);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
    return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
  };
  const simulated = (ns) => {
    if (ns === null) return "—";
    const [value, unit] = ns >= 1e6 ? [ns / 1e6, "ms"] : ns >= 1e3 ? [ns / 1e3, "µs"] : [ns, "ns"];
    return `${Number(value.toPrecision(4))} ${unit}`;
  };
  const make = (tag, cls, ...children) => {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    node.append(...children);
    return node;
  };

  // Filters. A word is looked for once in each text, not once in each row.
  const search = document.getElementById("r-search");
  const verdicts = document.getElementById("r-verdict");
  const tests = document.getElementById("r-test");
  const buckets = document.getElementById("r-bucket");
  const lower = data.texts.map((text) => text.toLowerCase());
  const words = VERDICTS.map((pair) => pair[1].toLowerCase());
  let shown = new Int32Array(0);

  function wordTest(word) {
    const inText = lower.map((text) => text.includes(word));
    const inVerdict = words.map((text) => text.includes(word));
    const digits = /^\d+$/.test(word);
    return (row) => inText[data.test[row]] || inText[data.testcase[row]] || inVerdict[data.verdict[row]]
      || (digits && data.seed[row].includes(word))
      || (data.message[row] !== undefined && (inText[data.message[row]] || (digits && filled(data.message[row], row).includes(word))))
      || (data.place[row] !== undefined && inText[data.place[row]]) || (word.includes(".") && name(row).toLowerCase().includes(word));
  }
  function filter() {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean).map(wordTest);
    const state = verdicts.value;
    const test = tests.value === "" ? -1 : data.texts.indexOf(tests.value);
    const bucket = buckets && buckets.value !== "" ? Number(buckets.value) : null;
    const flag = state === "flaky" ? FLAKY : state === "quarantined" ? QUARANTINED : 0;
    const verdict = flag || state === "" || state === "bad" ? -1 : Number(state);
    const kept = [];
    for (const row of order()) {
      if (state === "bad" ? data.verdict[row] >= BAD : verdict >= 0 && data.verdict[row] !== verdict) continue;
      if (flag && !(rare("flags", row) & flag)) continue;
      if (test >= 0 && data.test[row] !== test) continue;
      if (bucket !== null && data.bucket[row] !== bucket) continue;
      if (!asked.every((fits) => fits(row))) continue;
      kept.push(row);
    }
    shown = Int32Array.from(kept);
    opened = -1;
    const all = kept.length === total;
    document.getElementById("r-hits").textContent = all ? "" : `${kept.length.toLocaleString("en")} of ${total.toLocaleString("en")} shown`;
    document.getElementById("r-table").setAttribute("aria-rowcount", kept.length + 1);
    box.scrollTop = 0;
    layout();
  }

  // Sorting: each order is made once, from a rank for each row.
  let sorting = "", falling = false;
  const made = new Map();
  const natural = Int32Array.from({ length: total }, (_, row) => row);
  const collator = new Intl.Collator("en", { numeric: true });
  function ranks(key) {
    if (key === "time" || key === "sim") return data[key].map((value) => (value === null ? Infinity : value));
    if (key === "verdict") return data.verdict;
    const texts = key === "name" ? Array.from(natural, name)
      : Array.from(natural, (row) => (data.message[row] === undefined ? "" : data.texts[data.message[row]]));
    const place = new Map(Array.from(new Set(texts)).sort(collator.compare).map((text, rank) => [text, text ? rank : Infinity]));
    return texts.map((text) => place.get(text));
  }
  function seedOrder() {
    // Seeds have 64 bits, more than a number holds: nine digits at the end, and those before.
    const high = data.seed.map((seed) => Number(seed.slice(0, -9))), low = data.seed.map((seed) => Number(seed.slice(-9)));
    return natural.slice().sort((a, b) => high[a] - high[b] || low[a] - low[b] || a - b);
  }
  function order() {
    if (!sorting) return natural;
    const known = sorting + falling;
    if (!made.has(known)) {
      if (sorting === "seed") {
        made.set(known, falling ? seedOrder().reverse() : seedOrder());
      } else {
        const rank = ranks(sorting), sign = falling ? -1 : 1;
        made.set(known, natural.slice().sort((a, b) => (rank[a] === rank[b] ? a - b : rank[a] === Infinity ? 1 : rank[b] === Infinity ? -1 : sign * (rank[a] - rank[b]))));
      }
    }
    return made.get(known);
  }
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      falling = sorting === button.dataset.sort && !falling;
      sorting = button.dataset.sort;
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      filter();
    });
  }

  // Rows in sight. One row at most is open; those behind it move down by what it needs.
  const list = document.getElementById("r-rows");
  let opened = -1, extra = 0, height = 30, detail = null;
  const lines = new Map();
  function line(place) {
    const row = shown[place];
    const [tone, word] = VERDICTS[data.verdict[row]];
    const flags = rare("flags", row);
    const state = make("span", `c-verdict state ${tone}`);
    state.innerHTML = `<svg class="i ${tone}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${SHAPES[tone]}</svg> `;
    state.append(word);
    const button = make("button", "", name(row));
    button.type = "button";
    button.setAttribute("aria-expanded", String(place === opened));
    const title = make("span", "c-name", button);
    if (flags & FLAKY) title.append(make("span", "tag", "flaky"));
    if (flags & QUARANTINED) title.append(make("span", "tag", "quarantined"));
    const message = data.message[row] === undefined ? "" : filled(data.message[row], row);
    const cells = [state, title, make("span", "c-seed n", data.seed[row]), make("span", "c-time n", seconds(data.time[row])),
      make("span", "c-sim n", simulated(data.sim[row])), make("span", "c-message", message)];
    for (const cell of cells) cell.setAttribute("role", "cell");
    const item = make("div", "r", ...cells);
    item.setAttribute("role", "row");
    item.setAttribute("aria-rowindex", place + 2);
    const node = make("div", "r-line", item);
    node.dataset.place = place;
    return node;
  }
  const at = (place) => place * height + (opened >= 0 && place > opened ? extra : 0);
  function paint() {
    const top = box.scrollTop, bottom = top + box.clientHeight;
    const ahead = 8;
    const from = Math.max(0, Math.floor((top - (opened >= 0 && top > at(opened) ? extra : 0)) / height) - ahead);
    const to = Math.min(shown.length, Math.ceil(bottom / height) + ahead);
    for (const [place, node] of lines) {
      if ((place < from || place >= to) && place !== opened && !node.contains(document.activeElement)) { node.remove(); lines.delete(place); }
    }
    for (let place = from; place < to; place += 1) if (!lines.has(place)) {
      const node = line(place);
      lines.set(place, node);
      const next = Array.from(list.children).find((other) => Number(other.dataset.place) > place);
      list.insertBefore(node, next || null);
    }
    for (const [place, node] of lines) node.style.transform = `translateY(${at(place)}px)`;
  }
  function layout() {
    height = parseFloat(getComputedStyle(document.getElementById("r-table")).getPropertyValue("--row"));
    for (const node of lines.values()) node.remove();
    lines.clear();
    detail = null;
    extra = 0;
    list.textContent = "";
    if (!shown.length) list.append(make("p", "r-none", "No result fits."));
    if (opened >= 0) open(opened); else { list.style.height = shown.length ? `${shown.length * height}px` : "auto"; paint(); }
  }
  function close() {
    if (opened < 0) return;
    const node = lines.get(opened);
    if (node) node.querySelector("button").setAttribute("aria-expanded", "false");
    if (detail) detail.remove();
    detail = null;
    opened = -1;
    extra = 0;
  }
  function open(place) {
    close();
    opened = place;
    paint();
    const node = lines.get(place);
    node.querySelector("button").setAttribute("aria-expanded", "true");
    detail = details(shown[place]);
    node.append(detail);
    measure();
  }
  function measure() {
    extra = detail ? detail.offsetHeight : 0;
    list.style.height = `${shown.length * height + extra}px`;
    paint();
  }
  const fact = (term, ...value) => make("div", "", make("dt", "", term), make("dd", "", ...value));
  const link = (path, word) => {
    if (!path || /^[/\\]|^[a-z][a-z0-9+.-]*:|(^|\/)\.\.(\/|$)/i.test(path)) return path;
    const anchor = make("a", "", word);
    anchor.href = path.split("/").map(encodeURIComponent).join("/");
    return anchor;
  };
  function details(row) {
    const node = make("div", "r-open");
    if (data.message[row] !== undefined) node.append(make("p", "message", filled(data.message[row], row)));
    const facts = make("dl", "facts");
    if (rare("place", row)) facts.append(fact("Place", make("code", "", data.texts[data.place[row]])));
    facts.append(fact("Seed", make("code", "", data.seed[row]), data.index[row] < 0 ? " given by name" : ` number ${data.index[row]}`));
    const bucket = data.bucket[row] >= 0 && document.querySelectorAll(".bucket")[data.bucket[row]];
    if (bucket) {
      const anchor = make("a", "", bucket.querySelector("summary > code").textContent);
      anchor.href = `#${bucket.id}`;
      facts.append(fact("Bucket", anchor));
    }
    facts.append(fact("Time", `${seconds(data.time[row])}, simulated ${simulated(data.sim[row])}`));
    if (rare("host", row)) facts.append(fact("Host", data.texts[data.host[row]]));
    if (rare("attempts", row)) facts.append(fact("Attempts", `${data.attempts[row]}, since machines failed`));
    const flags = rare("flags", row);
    if (flags & FLAKY) facts.append(fact("Flaky", "The same seed on the same inputs passed and failed."));
    if (flags & QUARANTINED) facts.append(fact("Quarantined", "It does not decide the exit code."));
    if (data.log[row]) facts.append(fact("Log", link(filled(data.log[row], row), "log")));
    if (rare("waves", row)) facts.append(fact("Waves", link(filled(data.waves[row], row), "waves")));
    node.append(facts);
    if (data.command[row]) {
      const code = make("code", "", filled(data.command[row], row));
      code.id = "r-command";
      const button = make("button", "", "Copy");
      button.type = "button";
      button.dataset.copy = code.id;
      button.setAttribute("aria-live", "polite");
      node.append(make("div", "command", make("pre", "", code), button));
    }
    const picture = data.picture[row] && document.getElementById(data.picture[row]);
    if (picture) {
      const copied = picture.cloneNode(true);
      copied.removeAttribute("id");
      node.append(copied);
    }
    const trace = rare("trace", row);
    if (trace > 0) node.append(make("pre", "trace", filled(trace, row)));
    if (trace < 0) node.append(make("p", "note", "Its traceback is in regression.json beside this page: there are too many for it."));
    return node;
  }
  list.addEventListener("click", (event) => {
    const item = event.target.closest(".r");
    if (!item) return;
    const place = Number(item.parentElement.dataset.place);
    if (place === opened) { close(); measure(); } else open(place);
  });
  list.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const node = event.target.closest(".r-line");
    if (!step || !node || event.target.tagName !== "BUTTON" || !event.target.closest(".r")) return;
    event.preventDefault();
    const place = Math.min(shown.length - 1, Math.max(0, Number(node.dataset.place) + step));
    if (at(place) < box.scrollTop) box.scrollTop = at(place);
    if (at(place) + height > box.scrollTop + box.clientHeight) box.scrollTop = at(place) + height - box.clientHeight;
    paint();
    lines.get(place).querySelector("button").focus({ preventScroll: true });
  });

  let waiting = 0;
  box.addEventListener("scroll", () => {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; paint(); });
  }, { passive: true });
  addEventListener("resize", layout);
  search.addEventListener("input", filter);
  for (const field of [verdicts, tests, buckets]) if (field) field.addEventListener("change", filter);
  for (const button of document.querySelectorAll("[data-bucket]")) {
    button.addEventListener("click", () => {
      search.value = ""; verdicts.value = ""; tests.value = ""; buckets.value = button.dataset.bucket;
      filter();
      document.getElementById("results").scrollIntoView();
      if (shown.length) { open(0); lines.get(0).querySelector("button").focus({ preventScroll: true }); }
    });
  }
  // A link to a bucket opens it.
  const follow = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.classList.contains("bucket")) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", follow);
  follow();
  filter();
})();
