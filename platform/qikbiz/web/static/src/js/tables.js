// A table that fits needs no scrolling frame, and then its head can stick to the top of the page.
const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => measure(target)));

function measure(frame) {
  const fits = frame.firstElementChild.scrollWidth <= frame.clientWidth;
  frame.classList.toggle("fits", fits);
  if (fits) frame.removeAttribute("tabindex");
  else frame.tabIndex = 0;
}

function watch() {
  for (const frame of document.querySelectorAll(".table-frame")) observer.observe(frame);
}

watch();
document.addEventListener("htmx:afterSettle", watch);
document.addEventListener("page:replaced", watch);
