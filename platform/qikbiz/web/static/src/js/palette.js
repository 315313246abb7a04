// "/", Ctrl+K (or ⌘K) and the sidebar's field open the palette; arrows move through what was found, Enter opens it.
import { open } from "./dialogs.js";

const palette = () => document.getElementById("palette");
const items = () => [...palette().querySelectorAll(".palette-item")];

document.addEventListener("keydown", (event) => {
  if (!palette()) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    showPalette(event.target);
    return;
  }
  if (palette().open && event.key === "Escape") {
    // A search field would only empty itself.
    event.preventDefault();
    palette().close();
  }
  if (palette().open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  }
  if (palette().open && event.key === "Enter" && event.target.type === "search" && items().length) {
    event.preventDefault();
    items()[0].click();
  }
});

document.addEventListener("click", ({ target }) => {
  if (palette() && target.matches("[data-shortcut-search]")) showPalette();
});

/** Returns false on a page that has no palette. */
export function showPalette(opener) {
  if (!palette()) return false;
  if (document.querySelector("dialog[open]")) return true;
  open(palette(), opener);
  const field = palette().querySelector("input");
  field.focus();
  field.select();
  return true;
}

function move(step) {
  const all = items();
  const at = all.indexOf(document.activeElement) + step;
  (all[at] ?? palette().querySelector("input")).focus();
}
