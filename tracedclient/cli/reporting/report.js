"use strict";
(() => {
  const traces = [...document.querySelectorAll("#traces > details")];
  const choices = [...document.querySelectorAll("select[data-filter]")];
  const search = document.getElementById("search");
  const count = document.getElementById("count");

  const isWanted = (trace) =>
    choices.every((choice) => !choice.value || trace.dataset[choice.dataset.filter] === choice.value) &&
    trace.dataset.text.includes(search.value.trim().toLowerCase());

  const filter = () => {
    let shown = 0;
    for (const trace of traces) {
      trace.hidden = !isWanted(trace);
      shown += !trace.hidden;
    }
    count.value = `${shown} of ${traces.length}`;
  };

  const openAll = (open) => {
    for (const trace of traces) if (!trace.hidden) trace.open = open;
  };

  if (search) {
    document.getElementById("controls").hidden = false;
    for (const choice of choices) choice.addEventListener("change", filter);
    search.addEventListener("input", filter);
    document.getElementById("open").addEventListener("click", () => openAll(true));
    document.getElementById("close").addEventListener("click", () => openAll(false));
    // A browser keeps what was chosen when a page is loaded again.
    filter();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.id);
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "selected";
    }
  });

  // What has no number sorts last, in both directions.
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return column && !cell.classList.contains("words") ? undefined : cell.textContent;
  };

  const compare = (a, b, direction) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return direction * (typeof a === "string" ? a.localeCompare(b) : a - b);
  };

  const sort = (table, head, column) => {
    const direction = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(key(a, column), key(b, column), direction));
    table.tBodies[0].append(...rows);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, column));
      head.append(button);
    });
  }
})();
