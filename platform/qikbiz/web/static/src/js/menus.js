// Menus are <details data-menu>: one open at a time; Esc and a click elsewhere close them; arrows move.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
  if (target.closest(".menu-list [data-opens]")) target.closest("details").open = false;
});

document.addEventListener("focusin", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (!menu?.open) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(menu, event.key === "ArrowDown" ? 1 : -1);
  }
});

function move(menu, step) {
  const items = [...menu.querySelectorAll(".menu-item")].filter((item) => item.offsetParent);
  const at = items.findIndex((item) => item === document.activeElement || item.contains(document.activeElement));
  const item = items[(at + step + items.length) % items.length];
  (item?.matches("label") ? item.querySelector("input") : item)?.focus();
}
