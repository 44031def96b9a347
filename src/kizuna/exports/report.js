"use strict";
(() => {
  const table = document.getElementById("list");
  if (!table) return;
  const STEP = 500;
  const REST = 100;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const controls = document.getElementById("controls");
  const search = document.getElementById("search");
  const filters = Array.from(controls.querySelectorAll("select"));
  const shown = document.getElementById("shown");
  const nobody = document.getElementById("nobody");
  const more = document.getElementById("more");
  const further = more.querySelector("button");
  const buttons = Array.from(table.tHead.querySelectorAll("button"));
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const texts = new Map();
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
  let sorted = rows;
  let limit = STEP;

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, plain(row.textContent));
    return texts.get(row);
  };

  const number = (count) => count.toLocaleString("en");

  // Of a long list only the first rows are laid out: hidden ones cost nothing. A short rest is shown with them.
  const narrow = () => {
    const wanted = plain(search.value).split(/\s+/).filter(Boolean);
    const fitting = new Set(
      sorted.filter(
        (row) =>
          filters.every((filter) => !filter.value || row.dataset[filter.dataset.filter] === filter.value) &&
          wanted.every((word) => textOf(row).includes(word)),
      ),
    );
    const count = fitting.size;
    const visible = count <= limit + REST ? count : limit;
    let place = 0;
    for (const row of sorted) {
      const hide = !fitting.has(row) || place >= visible;
      place += hide ? 0 : 1;
      if (row.hidden !== hide) row.hidden = hide;
    }
    shown.textContent = shown.dataset.text.replace("#", number(visible));
    nobody.hidden = count > 0;
    table.hidden = count === 0;
    more.hidden = visible === count;
    further.textContent = further.dataset.text.replace("#", number(Math.min(STEP, count - visible)));
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
    sorted = keyed.map((item) => item.row);
    limit = STEP;
    narrow();
    body.append(...sorted);
  };

  // The keyboard goes on where the list does.
  const show = () => {
    const from = limit;
    limit += STEP;
    narrow();
    const next = sorted.filter((row) => !row.hidden)[from];
    next.tabIndex = -1;
    next.focus();
  };

  const restart = () => {
    limit = STEP;
    narrow();
  };

  for (const button of buttons) button.addEventListener("click", () => sort(button));
  for (const filter of filters) filter.addEventListener("change", restart);
  search.addEventListener("input", restart);
  further.addEventListener("click", show);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  narrow();
})();
