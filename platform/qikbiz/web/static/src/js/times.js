// Keeps "5 minutes ago" true while a page stays open.
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

function words(seconds) {
  for (const [unit, length] of UNITS) {
    const amount = Math.floor(Math.abs(seconds) / length);
    if (!amount) continue;
    const distance = `${amount} ${unit}${amount === 1 ? "" : "s"}`;
    return seconds > 0 ? `${distance} ago` : `in ${distance}`;
  }
  return "just now";
}

function refresh() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const text = words((Date.now() - new Date(element.dateTime)) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(refresh, 30000);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
