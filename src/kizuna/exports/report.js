"use strict";
(() => {
  const table = document.getElementById("list");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const controls = document.getElementById("controls");
  const search = document.getElementById("search");
  const filters = Array.from(controls.querySelectorAll("select"));
  const shown = document.getElementById("shown");
  const nobody = document.getElementById("nobody");
  const buttons = Array.from(table.tHead.querySelectorAll("button"));
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const texts = new Map(rows.map((row) => [row, plain(row.textContent)]));
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true });

  const narrow = () => {
    const wanted = plain(search.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits =
        filters.every((filter) => !filter.value || row.dataset[filter.dataset.filter] === filter.value) &&
        wanted.every((word) => texts.get(row).includes(word));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = shown.dataset.text.replace("#", count.toLocaleString("en"));
    nobody.hidden = count > 0;
    table.hidden = count === 0;
  };

  const key = (row, button) => {
    const cell = row.querySelector(":scope > ." + button.dataset.column);
    const value = cell.dataset.sort === undefined ? cell.textContent : cell.dataset.sort;
    return button.dataset.kind === "number" ? Number(value) : value;
  };

  const sort = (button) => {
    const head = button.parentElement;
    const numbers = button.dataset.kind === "number";
    // Money and risk are asked for from the top; a rank or a text from the beginning.
    const first = numbers && button.dataset.column !== "rank" ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const direction = head.getAttribute("aria-sort") === first ? second : first;
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row, position) => ({ row, position, value: key(row, button) }));
    keyed.sort((a, b) => sign * (numbers ? a.value - b.value : order.compare(a.value, b.value)) || a.position - b.position);
    for (const other of buttons) other.parentElement.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    body.append(...keyed.map((item) => item.row));
  };

  for (const button of buttons) button.addEventListener("click", () => sort(button));
  for (const filter of filters) filter.addEventListener("change", narrow);
  search.addEventListener("input", narrow);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  narrow();
})();
