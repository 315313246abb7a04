// data-repeat: one line per e-mail or phone; the button adds a line from the template, numbered on.
document.addEventListener("click", ({ target }) => {
  const list = target.closest("[data-repeat]");
  if (target.closest("[data-repeat-add]")) add(list);
  if (target.closest("[data-repeat-remove]")) remove(list, target.closest("[data-repeat-row]"));
});

function add(list) {
  const next = Number(list.dataset.next ?? list.querySelectorAll("[data-repeat-row]").length);
  const holder = document.createElement("template");
  holder.innerHTML = list.querySelector("[data-repeat-template]").innerHTML.replaceAll("__index__", next);
  list.dataset.next = next + 1;
  const row = holder.content.firstElementChild;
  list.querySelector("[data-repeat-rows]").append(row);
  row.querySelector("input, select")?.focus();
}

function remove(list, row) {
  row.remove();
  list.querySelector("[data-repeat-add]").focus();
  list.closest("form")?.dispatchEvent(new Event("input", { bubbles: true }));
}
