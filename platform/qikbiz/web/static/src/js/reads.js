// A link with data-reads="address" marks its notification as read while it is followed.
document.addEventListener("click", ({ target }) => {
  const link = target.closest("a[data-reads]");
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  // `keepalive` lets it arrive although the page is left; when it does not, the notification only stays unread.
  if (link && token) fetch(link.dataset.reads, { method: "POST", keepalive: true, redirect: "manual", headers: { "X-CSRF-Token": token } }).catch(() => {});
});
