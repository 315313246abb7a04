// "/" searches, "?" lists, j and k move through rows, Enter opens, x selects, n and e follow data-shortcut links.
import { open } from "./dialogs.js";
import { showPalette } from "./palette.js";

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
const current = () => document.querySelector("tr.is-current");

const actions = {
  "/": () => focusSearch(),
  "?": () => open(document.getElementById("shortcuts")),
  j: () => step(1),
  k: () => step(-1),
  x: () => current()?.querySelector(".select-cell input")?.click(),
  n: () => document.querySelector('[data-shortcut="n"]')?.click(),
  e: () => document.querySelector('[data-shortcut="e"]')?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && current() && event.target === document.body) return current().querySelector("a[href]")?.click();
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});

function focusSearch() {
  if (showPalette()) return;
  const fields = document.querySelectorAll(".filter-search input, [data-shortcut-search]");
  const field = [...fields].find((candidate) => candidate.offsetParent);
  field?.focus();
  field?.select();
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  mark(next);
  // The focus goes along: what is read aloud and what Enter opens is the row that is marked.
  next.querySelector("a[href]")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function mark(row) {
  current()?.classList.remove("is-current");
  row.classList.add("is-current");
}

// By Tab or a click one may come to another row: the keys go on from there.
document.addEventListener("focusin", ({ target }) => {
  const row = target.closest?.("[data-rows] tbody tr");
  if (row && current() && row !== current()) mark(row);
});
