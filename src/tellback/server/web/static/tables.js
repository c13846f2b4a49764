// Tables: sort by a click on a heading, copy as tab-separated text. A cell's data-v is its plain value: it sorts by that
// and copies that, whatever it shows. Works on tables that arrive later too, since it listens on the document.
(() => {
  "use strict";

  const value = (cell) => {
    const holder = cell.matches("[data-v]") ? cell : cell.querySelector("[data-v]");
    return holder ? holder.dataset.v : cell.textContent.trim();
  };

  const compare = (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // what has no value comes last
    const numbers = Number(a) - Number(b);
    return Number.isNaN(numbers) ? a.localeCompare(b, undefined, { numeric: true }) : numbers;
  };

  function sort(button) {
    const heading = button.closest("th"), table = heading.closest("table"), body = table.tBodies[0];
    const column = heading.cellIndex;
    const first = heading.classList.contains("n") ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const direction = heading.getAttribute("aria-sort") === first ? other : first;
    for (const th of heading.parentElement.cells) th.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
    const sign = direction === "ascending" ? 1 : -1;
    rows.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : sign * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  }

  function text(table) {
    const shown = (cell) => !cell.classList.contains("meters");
    return [...table.rows]
      .map((row) => [...row.cells].filter(shown).map((cell) => (row.parentElement.tagName === "THEAD" ? cell.textContent.trim() : value(cell))).join("\t"))
      .join("\n");
  }

  // The button is there for every panel; it shows where there is a table to copy.
  function reveal(root) {
    for (const button of root.querySelectorAll("[data-copy-table]")) {
      button.hidden = !button.closest(".panel").querySelector("table tbody tr");
    }
  }

  async function copy(button, what) {
    try {
      await navigator.clipboard.writeText(what);
    } catch { // without HTTPS, off localhost, browsers withhold the clipboard; the old way still works
      const area = document.createElement("textarea");
      area.value = what;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const said = document.getElementById("said");
    said.textContent = "Copied";
    setTimeout(() => { said.textContent = ""; }, 1400);
    button.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.classList.contains("sort")) sort(button);
    else if (button.dataset.copy !== undefined) copy(button, button.dataset.copy);
    else if (button.dataset.copyTable !== undefined) copy(button, text(button.closest(".panel").querySelector("table")));
  });
  document.addEventListener("DOMContentLoaded", () => reveal(document));
  document.addEventListener("htmx:after:swap", () => reveal(document));
})();
