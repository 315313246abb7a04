// Each module looks for its own data- attributes; pages work without any of them.
import htmx from "htmx.org";
import "./menus.js";
import "./dialogs.js";
import "./toasts.js";
import "./shortcuts.js";
import "./selection.js";
import "./filters.js";
import "./forms.js";
import "./files.js";
import "./repeat.js";
import "./tables.js";
import "./times.js";
import "./copy.js";
import "./passkeys.js";
import "./strength.js";
import "./sidebar.js";
import "./palette.js";
import "./reads.js";
import { toast } from "./toasts.js";

const token = document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (token && detail.verb !== "get") detail.headers["X-CSRF-Token"] = token;
});
document.addEventListener("htmx:sendError", () => toast("No connection. Nothing is lost. Try again in a moment.", "failed"));
document.addEventListener("htmx:responseError", ({ detail }) => {
  const reference = detail.xhr.getResponseHeader("X-Request-Id");
  toast(`That did not work.${reference ? ` Reference ${reference}.` : ""}`, "failed");
});

// A small form that comes back with its errors, or with somebody else's newer value, is shown like any other part.
htmx.config.responseHandling.unshift({ code: "409|422", swap: true });
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
