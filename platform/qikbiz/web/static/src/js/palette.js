// Ctrl+K (or ⌘K) opens the palette; arrows move through what was found, Enter opens it.
import { open } from "./dialogs.js";

const palette = () => document.getElementById("palette");
const items = () => [...palette().querySelectorAll(".palette-item")];

document.addEventListener("keydown", (event) => {
  if (!palette()) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    show(event.target);
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

function show(opener) {
  if (document.querySelector("dialog[open]")) return;
  open(palette(), opener);
  const field = palette().querySelector("input");
  field.focus();
  field.select();
}

function move(step) {
  const all = items();
  const at = all.indexOf(document.activeElement) + step;
  (all[at] ?? palette().querySelector("input")).focus();
}
