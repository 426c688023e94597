"use strict";
(function () {
  // Everything is readable without this script; it only adds convenience.
  document.body.classList.add("scripted");
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // Filters: one text field, one state list, and a count for each table.
  function applyFilter(id) {
    const table = document.getElementById(id);
    if (!table) return;
    const field = document.querySelector(`[data-filter="${id}"]`);
    const list = document.querySelector(`[data-state-of="${id}"]`);
    const hits = document.querySelector(`[data-hits="${id}"]`);
    const words = (field ? field.value : "").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = list ? list.value : "";
    let shown = 0;
    const rows = all("tbody tr", table);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = (!wanted || row.dataset.state === wanted) && words.every((w) => text.includes(w));
      row.hidden = !fits;
      if (fits) shown += 1;
    }
    if (hits) hits.textContent = words.length || wanted ? `${shown} of ${rows.length} shown` : "";
  }
  for (const field of all("[data-filter]")) field.addEventListener("input", () => applyFilter(field.dataset.filter));
  for (const list of all("[data-state-of]")) list.addEventListener("change", () => applyFilter(list.dataset.stateOf));

  // Sorting: each header of a sortable table becomes a button.
  const key = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    if (cell.dataset.v !== undefined) return parseFloat(cell.dataset.v);
    const number = parseFloat(cell.textContent.replace(/,/g, "").replace("\u2212", "-"));
    return cell.classList.contains("n") && !isNaN(number) ? number : cell.textContent.trim().toLowerCase();
  };
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows).map((row) => [key(row, column), row]);
        const order = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);
        rows.sort((a, b) => (down ? order(b[0], a[0]) : order(a[0], b[0])));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  // Copying: the clipboard where the browser allows it, else a selection.
  async function copy(text, node) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (_) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      try { return document.execCommand("copy"); } catch (_) { return false; }
    }
  }
  for (const button of all("[data-copy]")) button.setAttribute("aria-live", "polite");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const node = document.getElementById(button.dataset.copy);
    button.textContent = (await copy(node.textContent, node)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  // Expand or fold every path at once.
  for (const button of all("[data-expand]")) {
    button.addEventListener("click", () => {
      const items = all("details", document.querySelector(button.dataset.expand));
      const open = items.some((item) => !item.open);
      items.forEach((item) => { item.open = open; });
      button.textContent = open ? "Fold all" : "Expand all";
    });
  }

  // The reason of a missing number, for keyboards and touch as well.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  function showTip(node) {
    if (node.title) { node.dataset.why = node.title; node.removeAttribute("title"); }
    tip.textContent = node.dataset.why;
    tip.hidden = false;
    const box = node.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${box.top > tip.offsetHeight + 12 ? box.top - tip.offsetHeight - 6 : box.bottom + 6}px`;
  }
  for (const node of all(".null")) {
    for (const event of ["pointerenter", "focus"]) node.addEventListener(event, () => showTip(node));
    for (const event of ["pointerleave", "blur"]) node.addEventListener(event, () => { tip.hidden = true; });
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // Links to logs fit the copy in the results folder; the original lies further down.
  if (/\/runs\/[^/]+\/[^/]*$/.test(location.pathname)) {
    for (const link of all("a[data-up]")) link.setAttribute("href", link.dataset.up + link.getAttribute("href"));
  }

  // The navigation follows the reader.
  const links = new Map(all("nav a").map((a) => [a.hash.slice(1), a]));
  const seen = new Set();
  const mark = () => {
    const current = Array.from(links.keys()).find((id) => seen.has(id));
    if (!current) return;
    for (const [id, link] of links) id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    const bar = document.querySelector("nav");
    const link = links.get(current);
    if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 2 + link.offsetWidth / 2;
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
    mark();
  }, { rootMargin: "-8% 0px -60% 0px" });
  for (const node of all("main > section")) watcher.observe(node);

  // Printing shows what is folded, except the stages of single paths.
  addEventListener("beforeprint", () => all("details:not(.path)").forEach((item) => { item.open = true; }));
})();
