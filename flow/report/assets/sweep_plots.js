"use strict";
// Scatter plots and parallel axes on canvases: points are stamps, so that ten thousand move smoothly.
(function () {
  const S = window.sweep;
  const LIGHT = ["#3b63b8", "#d0701c", "#27835a", "#a63d8f", "#8a7400", "#1688a6", "#b03a3a", "#666e78"];
  const DARK = ["#86a9f5", "#f0a05c", "#6ccf9c", "#e093d2", "#d8c04a", "#63cfe8", "#f58d85", "#a9b0ba"];
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // From blue through teal to yellow: even in lightness, and told apart without red and green.
  const STOPS = [[68, 40, 130], [52, 96, 141], [33, 145, 140], [94, 201, 98], [246, 222, 60]];
  const ramp = (share) => {
    const at = Math.min(3.999, Math.max(0, share) * 4), n = Math.floor(at), t = at - n;
    return `rgb(${STOPS[n].map((v, k) => Math.round(v + (STOPS[n + 1][k] - v) * t)).join()})`;
  };
  function colouring() {
    const c = S.col(S.state.c), palette = dark() ? DARK : LIGHT;
    if (c.kind === "cat") return { c, of: (row) => (c.v[row] === c.v[row] ? palette[c.v[row] % 8] : css("--faint")), palette };
    const log = S.isLog(c.key, ""), f = (v) => (log ? Math.log(v) : v), low = f(c.low), span = f(c.high) - low || 1;
    return { c, of: (row) => (c.v[row] === c.v[row] ? ramp(Math.round(((f(c.v[row]) - low) / span) * 31) / 31) : css("--faint")) };
  }
  const stamps = new Map();
  function stamp(shape, colour, size) {
    const ratio = devicePixelRatio || 1, key = `${shape}${colour}${size}${ratio}`;
    if (!stamps.has(key)) {
      const node = document.createElement("canvas"), w = 2 * size + 4;
      node.width = node.height = Math.ceil(w * ratio);
      const g = node.getContext("2d");
      g.scale(ratio, ratio);
      g.translate(w / 2, w / 2);
      g.fillStyle = g.strokeStyle = colour;
      g.lineWidth = 1.4;
      g.beginPath();
      if (shape === "x") { g.moveTo(-size, -size); g.lineTo(size, size); g.moveTo(size, -size); g.lineTo(-size, size); g.stroke(); }
      else if (shape === "ring") { g.arc(0, 0, size - 0.5, 0, 7); g.stroke(); }
      else { g.arc(0, 0, size, 0, 7); g.fill(); }
      stamps.set(key, [node, w]);
    }
    return stamps.get(key);
  }
  function nice(span, ticks) {
    const raw = span / ticks, base = 10 ** Math.floor(Math.log10(raw));
    return base * [1, 2, 2.5, 5, 10].find((m) => base * m >= raw * 0.999);
  }
  const tick = (v) => { const n = Number(v.toPrecision(6)), size = Math.abs(n); return n && (size >= 1e9 || size < 1e-4) ? S.round(n) : n.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "\u2212"); };
  function scaleOf(key, log, from, to, rows) {
    const c = S.col(key);
    let { low, high } = c;
    if (rows) { low = Infinity; high = -Infinity; for (const row of rows) { const v = c.v[row]; if (v === v) { low = Math.min(low, v); high = Math.max(high, v); } } }
    if (!(low <= high)) { low = 0; high = 1; }
    const f = log ? Math.log : (v) => v, g = log ? Math.exp : (v) => v;
    let a = f(low), b = f(high);
    const pad = c.kind === "cat" ? 0.5 : (b - a || Math.abs(a) || 1) * 0.05;
    a -= pad; b += pad;
    const k = (to - from) / (b - a), px = (v) => from + (f(v) - a) * k, back = (p) => g(a + (p - from) / k);
    let ticks = [];
    const many = Math.max(2, Math.floor(Math.abs(to - from) / 70));
    if (c.kind === "cat") ticks = c.levels.map((name, n) => [n, name.length > 16 ? `${name.slice(0, 15)}…` : name]).slice(0, 40);
    else {
      const F = c.factor, l = g(a) * F, h = g(b) * F;
      if (c.group === "axis" && c.distinct <= 8) ticks = Array.from(new Set(c.v.filter((v) => v === v))).sort((p, q) => p - q).map((v) => [v, tick(v * F)]);
      else if (log && h / l > 8) {
        for (let e = Math.floor(Math.log10(l)); e <= Math.log10(h); e += 1) for (const m of h / l > 900 ? [1] : h / l > 60 ? [1, 3] : [1, 2, 5]) { const v = m * 10 ** e; if (v >= l && v <= h) ticks.push([v / F, tick(v)]); }
      } else {
        const step = nice(h - l, many);
        for (let v = Math.ceil(l / step) * step; v <= h + 1e-9 * step; v += step) ticks.push([v / F, tick(v)]);
      }
    }
    return { c, px, back, ticks: ticks.map(([v, word]) => [px(v), word]) };
  }
  function paper(box) {
    const canvas = document.createElement("canvas");
    box.append(canvas);
    return canvas;
  }
  function fit(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    return g;
  }
  // What lies out of sight is drawn when it comes into it.
  const seen = new Map();
  const watch = new IntersectionObserver((entries) => { for (const e of entries) { const one = seen.get(e.target); one.sight = e.isIntersecting; if (one.sight && one.stale) one.draw(); } }, { rootMargin: "200px" });
  const sizes = new ResizeObserver((entries) => { for (const e of entries) seen.get(e.target).refresh(); });
  function register(box, one) {
    seen.set(box, one);
    one.refresh = () => { one.stale = true; if (one.sight) one.draw(); };
    S.drawers.push(one.refresh);
    S.hovered.push(() => { if (one.sight) one.mark(); });
    watch.observe(box);
    sizes.observe(box);
  }

  // One scatter plot. `options`: x, y (keys, or from the state), rows that it holds, small, equal (line of agreement).
  function scatter(box, options) {
    const under = paper(box), over = paper(box), one = { sight: false, stale: true };
    const small = Boolean(options.small), px = new Float32Array(S.total), py = new Float32Array(S.total);
    const all = options.rows || Array.from({ length: S.total }, (_, n) => n);
    let X, Y, area = null, drag = null, rest = [];
    over.className = "over";
    over.tabIndex = 0;
    over.setAttribute("role", "img");
    one.draw = () => {
      const w = box.clientWidth, h = box.clientHeight;
      if (!w || !h) return;
      one.stale = false;
      const x = options.x || S.state.x, y = options.y || S.state.y;
      const cx = S.col(x), cy = S.col(y);
      const gutter = !small && all.some((row) => cx.v[row] === cx.v[row] && cy.v[row] !== cy.v[row]) ? 22 : 0;
      area = { l: cy.kind === "cat" ? 108 : small ? 50 : 68, r: w - 12, t: 22, b: h - (small ? 36 : 42) - gutter };
      const rows = options.rows && !S.state.same && !options.equal ? options.rows : null;
      const lx = options.x ? S.isLog(x, "") : S.isLog(x, S.state.lx), ly = options.y ? S.isLog(y, "") : S.isLog(y, S.state.ly);
      X = scaleOf(x, lx, area.l, area.r, rows); Y = scaleOf(y, ly, area.b, area.t, rows);
      const g = fit(under, w, h);
      g.font = `11px ${css("--sans")}`;
      const soft = css("--soft"), hair = css("--hair");
      g.lineWidth = 1;
      let last = -99;
      for (const [p, word] of X.ticks) {
        g.strokeStyle = hair; g.beginPath(); g.moveTo(p, area.t); g.lineTo(p, area.b); g.stroke();
        const half = g.measureText(word).width / 2;
        if (p - half > last + 6) { g.fillStyle = soft; g.textAlign = "center"; g.fillText(word, p, area.b + gutter + 14); last = p + half; }
      }
      for (const [p, word] of Y.ticks) {
        g.strokeStyle = hair; g.beginPath(); g.moveTo(area.l, p); g.lineTo(area.r, p); g.stroke();
        g.fillStyle = soft; g.textAlign = "right"; g.fillText(word, area.l - 6, p + 3.5);
      }
      g.fillStyle = css("--ink");
      const arrow = (c) => (c.better === true ? ", more is better" : c.better === false ? ", less is better" : "");
      g.textAlign = "left"; g.fillText(S.title(cy) + (ly ? ", log" : "") + (small ? "" : arrow(cy)), 2, 12);
      g.textAlign = "right"; g.fillText(S.title(cx) + (lx ? ", log" : "") + (small ? "" : arrow(cx)), area.r, h - 6);
      if (gutter) { g.fillStyle = soft; g.textAlign = "right"; g.fillText("no value", area.l - 6, area.b + 15); g.strokeStyle = css("--line"); g.beginPath(); g.moveTo(area.l, area.b + 2); g.lineTo(area.r, area.b + 2); g.stroke(); }
      if (options.equal) {
        const lo = Math.max(cx.low, cy.low), hi = Math.min(cx.high, cy.high);
        g.strokeStyle = soft; g.setLineDash([4, 3]); g.beginPath(); g.moveTo(X.px(lo), Y.px(lo)); g.lineTo(X.px(hi), Y.px(hi)); g.stroke(); g.setLineDash([]);
      }
      const paint = colouring(), size = small ? 2.6 : S.total > 3000 ? 3 : 4, bad = css("--bad"), faint = css("--faint");
      let lost = 0;
      for (const row of all) {
        const vx = cx.v[row], vy = cy.v[row];
        // Levels of a category would lie on each other: spread a little, the same way each time.
        const jx = cx.kind === "cat" ? ((row * 7919) % 17 - 8) * (small ? 0.8 : 1.5) : 0, jy = cy.kind === "cat" ? ((row * 104729) % 13 - 6) : 0;
        px[row] = vx === vx ? X.px(vx) + jx : NaN;
        py[row] = vy === vy ? Y.px(vy) + jy : vx === vx && gutter ? area.b + 11 : NaN;
        if (!(px[row] === px[row] && py[row] === py[row])) lost += 1;
      }
      const place = (row, shape, colour, s) => { const [node, width] = stamp(shape, colour, s); g.drawImage(node, px[row] - width / 2, py[row] - width / 2, width, width); };
      const drawn = (row, colour) => {
        const name = S.status.levels[S.status.v[row]];
        if (name === "done") place(row, "dot", colour || paint.of(row), size);
        else if (name === "infeasible") place(row, "ring", colour || paint.of(row), size);
        else place(row, "x", colour || (name === "refused" || name === "cancelled" ? faint : bad), size - 1);
      };
      g.globalAlpha = 0.22;
      const thin = Math.ceil(S.total / 3000);
      for (const row of all) if (!S.match[row] && row % thin === 0 && px[row] === px[row] && py[row] === py[row]) drawn(row, faint);
      g.globalAlpha = S.matched > 2500 ? 0.6 : 0.85;
      const on = all.filter((row) => S.match[row] && px[row] === px[row] && py[row] === py[row]);
      for (const row of on) drawn(row, null);
      g.globalAlpha = 1;
      if (S.state.noise && (cx.noise || cy.noise)) {
        for (const row of on.length <= 300 ? on : on.filter(S.isFront)) {
          if (!S.feasible(row)) continue;
          g.strokeStyle = paint.of(row); g.globalAlpha = 0.55; g.beginPath();
          const ex = S.sigma(cx, cx.v[row]), ey = S.sigma(cy, cy.v[row]);
          if (ex) { g.moveTo(X.px(Math.max(cx.v[row] - 1.96 * ex, lx ? cx.low / 2 : -Infinity)), py[row]); g.lineTo(X.px(cx.v[row] + 1.96 * ex), py[row]); }
          if (ey) { g.moveTo(px[row], Y.px(Math.max(cy.v[row] - 1.96 * ey, ly ? cy.low / 2 : -Infinity))); g.lineTo(px[row], Y.px(cy.v[row] + 1.96 * ey)); }
          g.stroke();
        }
        g.globalAlpha = 1;
      }
      fronts(g, cx, cy, options.equal ? [] : on, paint);
      const ink = css("--ink");
      for (const row of on) if (S.isFront(row)) place(row, "ring", ink, size + 2);
      box.dataset.points = on.length;
      over.setAttribute("aria-label", `${box.dataset.label || "Scatter"}: ${S.title(cy)} against ${S.title(cx)}, ${on.length} points${lost ? `, ${lost} without a value` : ""}. Arrow keys walk the points.`);
      one.mark();
    };
    // Steps along points that none beats in both; only points of the highest fidelity are compared.
    function fronts(g, cx, cy, on, paint) {
      if (!S.state.pareto || typeof cx.better !== "boolean" || typeof cy.better !== "boolean") return;
      const fidelity = S.col("fidelity");
      const groups = new Map();
      for (const row of on) if (S.feasible(row)) {
        const key = S.state.pareto === "pdk" && S.pdk ? S.pdk.v[row] : 0;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(row);
      }
      for (const [, mine] of groups) {
        const top = mine.reduce((m, row) => Math.max(m, fidelity.v[row]), -1), sx = cx.better ? -1 : 1, sy = cy.better ? -1 : 1;
        const sorted = mine.filter((row) => fidelity.v[row] === top).sort((a, b) => sx * (cx.v[a] - cx.v[b]) || sy * (cy.v[a] - cy.v[b]));
        const kept = [];
        let best = Infinity;
        for (const row of sorted) if (sy * cy.v[row] < best) { best = sy * cy.v[row]; kept.push(row); }
        if (!kept.length) continue;
        g.strokeStyle = S.state.pareto === "pdk" && S.pdk && S.state.c === S.pdk.key ? paint.of(kept[0]) : css("--ink");
        g.lineWidth = 1.6; g.globalAlpha = 0.8; g.beginPath();
        kept.forEach((row, n) => { if (!n) g.moveTo(px[row], py[row]); else { g.lineTo(px[row], py[kept[n - 1]]); g.lineTo(px[row], py[row]); } });
        g.stroke(); g.globalAlpha = 1; g.lineWidth = 1;
      }
    }
    one.mark = () => {
      if (!area) return;
      const g = fit(over, box.clientWidth, box.clientHeight);
      if (drag) { g.fillStyle = g.strokeStyle = css("--accent"); const r = [Math.min(drag.x, drag.u), Math.min(drag.y, drag.v), Math.abs(drag.u - drag.x), Math.abs(drag.v - drag.y)]; g.globalAlpha = 0.12; g.fillRect(...r); g.globalAlpha = 1; g.strokeRect(...r); }
      for (const row of [S.hot, S.data.ids.indexOf(S.state.p)]) if (row >= 0 && (!options.has || options.has[row]) && px[row] === px[row] && py[row] === py[row] && px[row]) {
        g.strokeStyle = css("--accent"); g.lineWidth = 2.4; g.beginPath(); g.arc(px[row], py[row], small ? 6 : 8, 0, 7); g.stroke();
      }
    };
    const near = (x, y) => {
      let best = -1, least = 225;
      for (const row of all) { if (!S.match[row]) continue; const d = (px[row] - x) ** 2 + (py[row] - y) ** 2; if (d < least) { least = d; best = row; } }
      return best;
    };
    const at = (event) => { const r = over.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
    const clamp = (v, a, b) => Math.min(b, Math.max(a, v));
    over.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [x, y] = at(event);
      if (!small && event.pointerType !== "touch") { drag = { x: clamp(x, area.l, area.r), y: clamp(y, area.t, area.b), u: x, v: y, moved: false }; over.setPointerCapture(event.pointerId); }
    });
    over.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      if (drag) {
        drag.u = clamp(x, area.l, area.r); drag.v = clamp(y, area.t, area.b);
        if (Math.hypot(drag.u - drag.x, drag.v - drag.y) > 5) drag.moved = true;
        if (drag.moved) { brush(); one.mark(); }
        return;
      }
      // A chart that moves under a pointer that rests sends the same place again, which must not undo the keyboard's.
      if (event.clientX === rest[0] && event.clientY === rest[1]) return;
      rest = [event.clientX, event.clientY];
      S.hover(near(x, y), event.clientX, event.clientY);
    });
    const brush = () => {
      const [a, b] = [drag.x, drag.u].sort((m, n) => m - n), [c, d] = [drag.y, drag.v].sort((m, n) => m - n);
      S.limit(X.c.key, X.back(a), X.back(b));
      if (Y.c.key !== X.c.key) S.limit(Y.c.key, Y.back(d), Y.back(c));
      S.change({});
    };
    over.addEventListener("pointerup", (event) => { const moved = drag && drag.moved; drag = null; rest = [event.clientX, event.clientY]; one.mark(); if (moved) S.hover(-1); });
    over.addEventListener("click", (event) => { const row = near(...at(event)); if (row >= 0 && row === S.hot) S.open(row); });
    over.addEventListener("pointerleave", () => { if (document.activeElement !== over) S.hover(-1); });
    over.addEventListener("blur", () => S.hover(-1));
    over.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, Home: "first", End: "last" }[event.key];
      if (one.stale) one.draw();
      if (event.key === "Enter" && S.hot >= 0) { event.preventDefault(); S.open(S.hot, true); return; }
      if (move === undefined) return;
      event.preventDefault();
      const by = event.key === "ArrowUp" || event.key === "ArrowDown" ? [py, -1] : [px, 1];
      const order = all.filter((row) => S.match[row] && px[row] === px[row] && py[row] === py[row]).sort((a, b) => by[1] * (by[0][a] - by[0][b]) || a - b);
      if (!order.length) return;
      const now = order.indexOf(S.hot);
      const next = order[move === "first" || now < 0 ? 0 : move === "last" ? order.length - 1 : Math.min(order.length - 1, Math.max(0, now + move))];
      const r = over.getBoundingClientRect();
      S.hover(next, r.left + px[next], r.top + py[next]);
    });
    register(box, one);
  }
  scatter(S.$("s-scatter"), {});
  for (const box of document.querySelectorAll("[data-pdk]")) {
    const code = Number(box.dataset.pdk), rows = [], has = new Uint8Array(S.total);
    for (let row = 0; row < S.total; row += 1) if (S.pdk.v[row] === code) { rows.push(row); has[row] = 1; }
    scatter(box, { rows, has, small: true });
    const about = document.querySelector(`[data-count="${code}"]`);
    S.drawers.push(() => { const n = rows.reduce((m, row) => m + S.match[row], 0); about.textContent = `${n.toLocaleString("en")} of ${rows.length.toLocaleString("en")} points`; });
  }
  for (const box of document.querySelectorAll("[data-pair]")) {
    const [x, y] = S.data.pairs[Number(box.dataset.pair)];
    if (S.col(x) && S.col(y)) {
      const has = new Uint8Array(S.total), rows = [];
      for (let row = 0; row < S.total; row += 1) if (S.col(x).v[row] === S.col(x).v[row] && S.col(y).v[row] === S.col(y).v[row]) { rows.push(row); has[row] = 1; }
      scatter(box, { x, y, rows, has, small: true, equal: true });
    }
  }
  // What colours and shapes mean.
  S.drawers.push(() => {
    const key = S.$("s-key"), { c, palette } = colouring();
    key.textContent = "";
    const entry = (style, word) => { const i = S.make("i"); i.style.cssText = style; key.append(S.make("span", "legend", i, word)); };
    if (c.kind === "cat") c.levels.slice(0, 24).forEach((name, n) => entry(`background:${palette[n % 8]}`, name.slice(0, 40)));
    else { const i = S.make("i", "ramp"); i.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join()})`; key.append(S.make("span", "legend", `${S.title(c)} ${S.text(c, c.low)} `, i, ` ${S.text(c, c.high)}`)); }
    entry("background:none;border:1.5px solid var(--ink)", "ringed: Pareto front");
    entry("background:none;border:1.5px solid var(--faint)", "hollow: misses a limit");
    key.append(S.make("span", "legend", S.make("b", "bad", "×"), "failed, refused or out of time"));
  });

  // Parallel axes.
  const box = S.$("s-parallel"), under = paper(box), over = paper(box), one = { sight: false, stale: true };
  const heads = S.make("div");
  box.append(heads);
  let layout = [], job = 0, drag = null;
  const TOP = 44;
  const yOf = (axis, row) => { const v = axis.c.v[row]; return v === v ? axis.px(v) : axis.none; };
  one.draw = () => {
    const keys = S.state.po.filter((key) => S.col(key));
    const w = Math.max(box.clientWidth, keys.length * 92), h = box.clientHeight;
    if (!w || !h) return;
    one.stale = false;
    const gap = (w - 110) / Math.max(1, keys.length - 1);
    layout = keys.map((key, n) => ({ ...scaleOf(key, S.isLog(key, ""), h - 34, TOP + 8), key, x: 55 + n * gap, none: h - 12 }));
    const g = fit(under, w, h), paint = colouring(), rows = [];
    const lines = (row) => { layout.forEach((axis, n) => (n ? g.lineTo(axis.x, yOf(axis, row)) : g.moveTo(axis.x, yOf(axis, row)))); };
    g.lineWidth = 0.7;
    // Those left out, thinned where they are many: they only say where points were.
    const thin = Math.max(1, Math.ceil((S.total - S.matched) / 500));
    g.strokeStyle = css("--faint"); g.globalAlpha = 0.13; g.beginPath();
    for (let row = 0; row < S.total; row += 1) if (S.match[row]) rows.push(row); else if (row % thin === 0) lines(row);
    g.stroke();
    cancelAnimationFrame(job);
    let next = 0;
    const some = () => {
      g.globalAlpha = rows.length > 2000 ? 0.18 : rows.length > 300 ? 0.4 : 0.7;
      const by = new Map();
      for (const row of rows.slice(next, next + 300)) { const colour = paint.of(row); if (!by.has(colour)) by.set(colour, []); by.get(colour).push(row); }
      for (const [colour, mine] of by) { g.strokeStyle = colour; g.lineWidth = 1; for (let k = 0; k < mine.length; k += 25) { g.beginPath(); mine.slice(k, k + 25).forEach(lines); g.stroke(); } }
      next += 300;
      if (next < rows.length) job = requestAnimationFrame(some);
    };
    some();
    titles(w);
    one.mark();
  };
  function titles(width) {
    const focus = heads.contains(document.activeElement) ? document.activeElement.dataset.axis : null;
    heads.textContent = "";
    for (const axis of layout) {
      const button = S.make("button", "", axis.c.label);
      button.type = "button";
      button.dataset.axis = axis.key;
      button.title = S.title(axis.c);
      button.setAttribute("aria-label", `${S.title(axis.c)}: arrow keys move it, Delete clears its filter`);
      const better = axis.c.better === true ? " ↑ better" : axis.c.better === false ? " ↓ better" : "";
      const head = S.make("div", "p-axis", button, S.make("span", "", `${axis.c.unit}${better}`));
      head.style.left = `${axis.x}px`;
      heads.append(head);
    }
    heads.style.width = `${width}px`;
    if (focus) { const again = heads.querySelector(`[data-axis="${CSS.escape(focus)}"]`); if (again) again.focus({ preventScroll: true }); }
  }
  const moved = (key, to) => { const po = S.state.po.filter((k) => k !== key); po.splice(Math.max(0, to), 0, key); S.change({ po }); };
  heads.addEventListener("keydown", (event) => {
    const key = event.target.dataset.axis, step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!key) return;
    if (step) { event.preventDefault(); moved(key, S.state.po.indexOf(key) + step); }
    if (event.key === "Delete" || event.key === "Backspace") { S.limit(key, null); S.change({}); }
  });
  heads.addEventListener("pointerdown", (event) => {
    const key = event.target.dataset.axis;
    if (!key) return;
    const head = event.target.parentElement, start = event.clientX, was = layout.find((a) => a.key === key).x;
    head.classList.add("moving");
    event.target.setPointerCapture(event.pointerId);
    const move = (e) => { head.style.left = `${was + e.clientX - start}px`; };
    const end = (e) => {
      event.target.removeEventListener("pointermove", move);
      const x = was + e.clientX - start;
      if (Math.abs(e.clientX - start) > 8) moved(key, layout.filter((a) => a.key !== key && a.x < x).length); else S.draw();
    };
    event.target.addEventListener("pointermove", move);
    event.target.addEventListener("pointerup", end, { once: true });
  });
  one.mark = () => {
    if (!layout.length) return;
    const w = parseFloat(under.style.width), h = parseFloat(under.style.height), g = fit(over, w, h), ink = css("--ink"), panel = css("--panel");
    g.font = `10px ${css("--sans")}`;
    for (const axis of layout) {
      g.strokeStyle = css("--soft"); g.lineWidth = 1; g.beginPath(); g.moveTo(axis.x, TOP); g.lineTo(axis.x, h - 28); g.stroke();
      let last = 1e9;
      for (const [p, word] of axis.ticks) if (last - p > 13 || axis.c.kind === "cat" && axis.ticks.length < 12) {
        last = p;
        const wide = g.measureText(word).width;
        g.globalAlpha = 0.75; g.fillStyle = panel; g.fillRect(axis.x + 3, p - 6, wide + 3, 12); g.globalAlpha = 1;
        g.fillStyle = ink; g.fillText(word, axis.x + 4, p + 3.5);
      }
      const range = S.state.ranges[axis.key], set = S.state.sets[axis.key];
      g.fillStyle = css("--accent");
      const block = (a, b) => { g.globalAlpha = 0.35; g.fillRect(axis.x - 6, Math.min(a, b), 12, Math.abs(b - a)); g.globalAlpha = 1; };
      const bound = (v) => Math.min(h - 28, Math.max(TOP, v));
      if (range) block(range[0] === -Infinity ? h - 28 : bound(axis.px(range[0])), range[1] === Infinity ? TOP : bound(axis.px(range[1])));
      if (set) for (const n of set) block(axis.px(n - 0.4), axis.px(n + 0.4));
    }
    g.fillStyle = css("--soft"); g.fillText("none", layout[0].x - 48, h - 9);
    for (const row of [S.hot, S.data.ids.indexOf(S.state.p)]) if (row >= 0) {
      g.strokeStyle = css("--accent"); g.lineWidth = 2.4; g.beginPath();
      layout.forEach((axis, n) => (n ? g.lineTo(axis.x, yOf(axis, row)) : g.moveTo(axis.x, yOf(axis, row))));
      g.stroke();
    }
  };
  const spot = (event) => { const r = over.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", "Parallel axes: a line for each point");
  over.addEventListener("pointerdown", (event) => {
    const [x, y] = spot(event), axis = layout.find((a) => Math.abs(a.x - x) < 18);
    if (axis && !event.button) { drag = { axis, y, moved: false }; over.setPointerCapture(event.pointerId); }
  });
  over.addEventListener("pointermove", (event) => {
    const [x, y] = spot(event);
    if (drag) {
      if (Math.abs(y - drag.y) > 4) drag.moved = true;
      if (drag.moved) { const now = layout.find((a) => a.key === drag.axis.key); S.limit(now.key, now.back(Math.max(drag.y, y)), now.back(Math.min(drag.y, y))); S.change({}); }
      return;
    }
    const n = layout.findIndex((axis) => axis.x > x);
    let best = -1, least = 7;
    if (n > 0) {
      const a = layout[n - 1], b = layout[n], t = (x - a.x) / (b.x - a.x);
      for (let row = 0; row < S.total; row += 1) if (S.match[row]) { const d = Math.abs(yOf(a, row) * (1 - t) + yOf(b, row) * t - y); if (d < least) { least = d; best = row; } }
    }
    S.hover(best, event.clientX, event.clientY);
  });
  over.addEventListener("pointerup", () => { if (drag && !drag.moved) { S.limit(drag.axis.key, null); S.change({}); } drag = null; });
  over.addEventListener("click", () => { if (S.hot >= 0) S.open(S.hot); });
  over.addEventListener("pointerleave", () => S.hover(-1));
  register(box, one);
  S.draw();
})();
