// data-autosubmit: a list's filter sends itself; only what stands below it is replaced, so typing is never disturbed.
import htmx from "htmx.org";

const TYPING_PAUSE = 250;
const TYPED = "input[type=search], input[type=text]";
let timer;
let running;

document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (!form?.matches("[data-autosubmit]")) return;
  clearTimeout(timer);
  timer = setTimeout(() => search(form), target.matches(TYPED) ? TYPING_PAUSE : 0);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-autosubmit]")) return;
  event.preventDefault();
  clearTimeout(timer);
  search(event.target);
});

async function search(form) {
  const url = address(form);
  running?.abort();
  running = new AbortController();
  form.parentElement.classList.add("is-loading");
  try {
    const response = await fetch(url, { signal: running.signal, headers: { Accept: "text/html" } });
    // An error page or the login page is a page of its own.
    if (!response.ok || response.redirected) return location.assign(url);
    show(form, new DOMParser().parseFromString(await response.text(), "text/html"));
    history.replaceState(history.state, "", url);
    form.parentElement.classList.remove("is-loading");
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  }
}

function address(form) {
  const url = new URL(form.action);
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  url.search = new URLSearchParams(fields);
  return url;
}

function show(form, page) {
  const fresh = [...page.querySelectorAll("[data-autosubmit]")].find((other) => other.action === form.action);
  if (!fresh) return location.reload();
  replaceMenus(form, fresh);
  while (form.nextSibling) form.nextSibling.remove();
  while (fresh.nextSibling) form.parentElement.append(fresh.nextSibling);
  const count = document.querySelector(".page-count");
  const freshCount = page.querySelector(".page-count");
  if (count && freshCount) count.replaceWith(freshCount);
  htmx.process(form.parentElement);
  document.dispatchEvent(new Event("page:replaced"));
}

// Links in the filter's menus carry the search along, so they must be the new ones; an open menu stays.
function replaceMenus(form, fresh) {
  const menus = [...form.querySelectorAll("details")];
  const freshMenus = [...fresh.querySelectorAll("details")];
  menus.forEach((menu, at) => menu.open || !freshMenus[at] || menu.replaceWith(freshMenus[at]));
}
