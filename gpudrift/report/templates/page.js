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

// One strip is in the tab order; arrows move to other windows and features, and so does the pointer.
function readable(table) {
  const labels = table.dataset.labels.split("|");
  const strips = Array.from(table.querySelectorAll("svg[data-values]"));
  const reading = table.closest("section").querySelector("[data-reading]");
  if (strips.length === 0) return;
  const cursor = document.createElementNS(strips[0].namespaceURI, "rect");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("width", "1");
  cursor.setAttribute("height", "12");
  let row = 0;
  let at = labels.length - 1;

  function move(newRow, newAt) {
    strips[row].tabIndex = -1;
    row = Math.min(Math.max(newRow, 0), strips.length - 1);
    at = Math.min(Math.max(newAt, 0), labels.length - 1);
    const strip = strips[row];
    const value = strip.dataset.values.split(" ")[at];
    const feature = strip.closest("tr").cells[0].querySelector("bdi").textContent;
    const text = `${labels[at]}: PSI ${value.replace("*", "")}${value.endsWith("*") ? ", drifted" : ""}`;
    strip.tabIndex = 0;
    strip.setAttribute("aria-valuenow", at + 1);
    strip.setAttribute("aria-valuetext", text);
    cursor.setAttribute("x", at);
    strip.append(cursor);
    reading.textContent = `${feature}, ${text}`;
  }

  strips.forEach((strip, k) => {
    strip.tabIndex = k === 0 ? 0 : -1;
    strip.setAttribute("role", "slider");
    strip.setAttribute("aria-valuemin", 1);
    strip.setAttribute("aria-valuemax", labels.length);
    strip.setAttribute("aria-valuenow", labels.length);
    strip.addEventListener("focus", () => move(k, at));
    strip.addEventListener("pointermove", (event) => {
      const box = strip.getBoundingClientRect();
      move(k, Math.floor(labels.length * (event.clientX - box.left) / box.width));
    });
    strip.addEventListener("keydown", (event) => {
      const steps = {
        ArrowLeft: [row, at - 1], ArrowRight: [row, at + 1], Home: [row, 0], End: [row, labels.length - 1],
        ArrowUp: [row - 1, at], ArrowDown: [row + 1, at],
      };
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(...steps[event.key]);
      strips[row].focus();
    });
  });
  reading.hidden = false;
  reading.textContent = "Point at a cell, or move with the arrow keys.";
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
document.querySelectorAll("table.strips").forEach(readable);
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
