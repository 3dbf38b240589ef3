// What pages do beside being complete without this: copy buttons, keys, and parts that
// follow the log. Nothing here makes HTML out of text.
"use strict";

const told = document.getElementById("told");

// Copy buttons are hidden where there are no scripts.
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
document.addEventListener("click", async (e) => {
  const button = e.target.closest("[data-copy]");
  if (!button) return;
  const copied = await copy(button.dataset.copy);
  button.textContent = copied ? "Copied" : "Press Ctrl-C";
  told.textContent = copied ? "Copied." : "Press Ctrl-C to copy what is selected.";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text); // only over TLS and on this machine
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

// Keys: see /keys.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, [contenteditable]")) return;
  const go = { "/": () => document.querySelector(".find input").focus(), "?": () => { location.href = "/keys"; }, y: canonical }[e.key];
  if (go) {
    e.preventDefault();
    go();
  }
});

function canonical() {
  const link = document.querySelector("link[rel=canonical], [data-canonical]");
  if (link) location.href = link.href || link.dataset.canonical;
}

// Parts that follow the log: an element with data-live names the events that change it, and
// every element of the page with data-part is taken anew when one comes. One connection a
// page, closed while the page is hidden.
const live = document.querySelector("[data-live]");
let source, due, last = live && live.dataset.after;

function follow() {
  if (!live || source || document.hidden) return;
  const at = new URL(live.dataset.live, location.href);
  if (last) at.searchParams.set("after", last);
  source = new EventSource(at);
  source.addEventListener("event", (e) => {
    last = e.lastEventId || last;
    clearTimeout(due);
    due = setTimeout(refresh, 150);
  });
}

function unfollow() {
  if (source) source.close();
  source = undefined;
}

document.addEventListener("visibilitychange", () => { document.hidden ? unfollow() : follow(); });
addEventListener("pagehide", unfollow);
follow();

function refresh() {
  const page = new XMLHttpRequest();
  page.open("GET", location.href);
  page.responseType = "document";
  page.onload = () => {
    if (page.status !== 200 || !page.response) return;
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = page.response.getElementById(part.id);
      if (!now) { // the page has become another one, such as the first repository
        location.reload();
        return;
      }
      if (now.isEqualNode(part) || part.contains(document.activeElement) && document.activeElement !== document.body) continue;
      part.replaceWith(document.adoptNode(now));
    }
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  };
  page.send();
}
