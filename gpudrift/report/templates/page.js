"use strict";
// The page reads well without this: sorting, filtering and opening a linked section are conveniences.

// Without a value a cell sorts last, whichever way the column runs.
function compare(a, b, direction) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const order = typeof a === "number" ? a - b : a.localeCompare(b);
  return direction === "ascending" ? order : -order;
}

function sortable(table) {
  const body = table.tBodies[0];
  const original = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);

  function key(row, column) {
    const cell = row.cells[column];
    const value = cell.dataset.v;
    if (value === undefined) return cell.textContent.trim().toLowerCase();
    return value === "" ? "" : Number(value);
  }

  function sort(column) {
    const head = heads[column];
    const first = head.dataset.first;
    const second = first === "ascending" ? "descending" : "ascending";
    const now = head.getAttribute("aria-sort");
    const next = now === null ? first : now === first ? second : null; // the third press restores worst first
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    let rows = original;
    if (next !== null) {
      head.setAttribute("aria-sort", next);
      rows = original
        .map((row) => [key(row, column), row])
        .sort((a, b) => compare(a[0], b[0], next))
        .map((pair) => pair[1]);
    }
    body.append(...rows);
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(column));
  });
}

function filterable(box) {
  const input = box.querySelector("input");
  const status = box.querySelector("[role=status]");
  const rows = Array.from(document.querySelectorAll("table.features tbody tr")).map((row) => {
    const link = row.cells[0].querySelector("a");
    const body = link && document.getElementById(link.getAttribute("href").slice(1));
    return { row, name: row.cells[0].textContent.toLowerCase(), section: body && body.closest("details") };
  });
  box.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const { row, name, section } of rows) {
      const hidden = !name.includes(wanted);
      row.hidden = hidden;
      if (section) section.hidden = hidden;
      shown += !hidden;
    }
    status.textContent = wanted === "" ? "" : `${shown} of ${rows.length}`;
  });
}

function openLinked(hash) {
  const target = document.getElementById(hash.slice(1));
  const section = target && target.closest("details");
  if (section) {
    section.open = true;
    target.scrollIntoView();
  }
}

document.querySelectorAll("table[data-sortable]").forEach(sortable);
document.querySelectorAll("[data-filter]").forEach(filterable);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  // A section closed by hand gets no second hashchange; a page inside a notebook's frame has no address of its own.
  if (link && (link.hash === location.hash || location.protocol === "about:")) {
    event.preventDefault();
    openLinked(link.hash);
  }
});
addEventListener("hashchange", () => openLinked(location.hash));
openLinked(location.hash);

const openedForPrint = [];
addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not([open])").forEach((section) => {
    section.open = true;
    openedForPrint.push(section);
  });
});
addEventListener("afterprint", () => {
  openedForPrint.splice(0).forEach((section) => { section.open = false; });
});
