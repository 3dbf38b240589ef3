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
let source, due, refreshed = 0, last = live && live.dataset.after;

function follow() {
  if (!live || source || document.hidden) return;
  const at = new URL(live.dataset.live, location.href);
  if (last) at.searchParams.set("after", last);
  source = new EventSource(at);
  source.onerror = () => { // a refusal ends it, such as that of too many open pages
    if (source && source.readyState === EventSource.CLOSED) {
      unfollow();
      setTimeout(follow, 10000);
    }
  };
  source.addEventListener("event", (e) => {
    last = e.lastEventId || last;
    due ||= setTimeout(refresh, Math.max(150, refreshed + 2000 - Date.now())); // also of a hub where much happens
  });
}

function unfollow() {
  if (source) source.close();
  source = undefined;
}

document.addEventListener("visibilitychange", () => { document.hidden ? unfollow() : follow(); });
addEventListener("pagehide", unfollow);
follow();

// What changes between events is taken anew every few seconds, while somebody looks.
let soon;
function again() {
  clearTimeout(soon);
  const every = document.querySelector("main").dataset.every;
  if (every) soon = setTimeout(() => { document.hidden ? again() : refresh(); }, every * 1000);
}
again();

function refresh() {
  clearTimeout(due);
  due = 0;
  refreshed = Date.now();
  const page = new XMLHttpRequest();
  page.open("GET", log && log.dataset.head || location.href);
  page.responseType = "document";
  page.onloadend = again;
  page.onload = () => {
    if (page.status !== 200 || !page.response) return;
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = page.response.getElementById(part.id);
      if (!now) { // the page has become another one, such as the first repository
        location.reload();
        return;
      }
      for (const fold of now.querySelectorAll("details[id]")) { // as the reader has left it
        const here = document.getElementById(fold.id);
        if (here) fold.open = here.open;
      }
      if (now.isEqualNode(part) || part.contains(document.activeElement) && document.activeElement !== document.body) continue;
      part.replaceWith(document.adoptNode(now));
    }
    document.querySelector("main").dataset.every = page.response.querySelector("main").dataset.every || "";
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  };
  page.send();
}

// A form that can be tried is tried as one types: what its button would answer takes the place
// of the last answer, and so does what is wrong with it.
let trying;
for (const form of document.querySelectorAll("form[data-try]")) {
  let soon;
  form.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(attempt, 600, form); });
}

function attempt(form) {
  const sent = new URLSearchParams(new FormData(form)), page = new XMLHttpRequest();
  sent.set("do", form.dataset.try);
  if (trying) trying.abort();
  trying = page;
  page.open("POST", location.href);
  page.responseType = "document";
  page.onload = () => {
    const now = page.response && page.response.getElementById("tried");
    if (!now) return;
    const wrong = page.response.querySelector("main > .note.wrong");
    if (wrong) now.replaceChildren(wrong);
    document.getElementById("tried").replaceWith(document.adoptNode(now));
  };
  page.send(sent);
}

// The log of a build or a container that runs: lines are appended as text, as they come. It stays at the
// end while the reader is there; whoever scrolls up reads in peace.
const log = document.querySelector("[data-log]");
const openLines = {};
let heard = log && log.dataset.after, total = log && Number(log.dataset.total), logSource;

function followLog() {
  if (!log || logSource || document.hidden || log.dataset.ended) return;
  logSource = new EventSource(log.dataset.log + "?after=" + heard);
  logSource.addEventListener("log", (e) => {
    heard = e.lastEventId || heard;
    const chunk = JSON.parse(e.data), atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    appendLog(chunk.step, chunk.stream ? chunk.time.slice(11, 19) + " " + chunk.text + "\n" : chunk.text);
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  logSource.addEventListener("build", refresh);
  logSource.addEventListener("end", () => {
    log.dataset.ended = "yes";
    unfollowLog();
    refresh();
    document.getElementById("follow-told").textContent = log.dataset.over;
  });
}

function unfollowLog() {
  if (logSource) logSource.close();
  logSource = undefined;
}

// A line has its number from its first character on, as on the server. What came of an open
// line is kept, since a colour or a carriage return may come in two pieces.
function appendLog(step, text) {
  for (const part of text.match(/[^\n]*\n|[^\n]+/g) || []) {
    let line = openLines[step];
    if (!line) {
      const at = document.createElement("span"), number = document.createElement("a");
      at.id = "L" + ++total;
      number.className = "n";
      number.href = "#" + at.id;
      number.textContent = total;
      at.append(number);
      log.append(at);
      line = openLines[step] = { at, text: "" };
      if (log.childElementCount > 4000) log.firstElementChild.remove();
    }
    line.text = (line.text + part).slice(0, 4096);
    line.at.replaceChildren(line.at.firstElementChild, ...coloured(line.text));
    if (part.endsWith("\n")) delete openLines[step];
  }
}

const colours = ["", "sgr-red", "sgr-green", "sgr-yellow", "sgr-blue", "sgr-magenta", "sgr-cyan", ""];

// coloured is what the server makes of a line: colours of terminals as classes of the style
// sheet, without any other control sequence.
function coloured(text) {
  let bold = false, colour = "";
  const spans = [], lines = text.replace(/\n$/, "").replace(/\r+$/, "").split("\r");
  for (const part of lines.pop().replace(/\x1b[\]PX^_].*?(\x07|\x1b.?|$)/gs, "").split(/(\x1b\[[ -?]*[@-~]?)/)) {
    if (part.startsWith("\x1b[")) {
      if (!part.endsWith("m")) continue;
      const codes = part.slice(2, -1).split(";");
      while (codes.length) {
        const n = Number(codes.shift());
        if (n === 0) [bold, colour] = [false, ""];
        else if (n === 1 || n === 22) bold = n === 1;
        else if (n >= 30 && n <= 37 || n >= 90 && n <= 97) colour = colours[n % 10];
        else if (n === 39) colour = "";
        else if (n === 38 || n === 48) codes.splice(0, { 5: 2, 2: 4 }[codes[0]] || 0); // its numbers are no codes
      }
      continue;
    }
    const span = document.createElement("span");
    span.className = (colour + (bold ? " sgr-bold" : "")).trim();
    span.textContent = part.replace(/\x1b.?/gs, "").replace(/[\x00-\x08\x0a-\x1f\x7f]/g, "");
    if (span.textContent) spans.push(span.className ? span : span.textContent);
  }
  return spans;
}

function showFollowing() {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (!log.dataset.ended) document.getElementById("follow-told").textContent = atEnd ? "New lines come by themselves." : "It goes on below: scroll to the end to follow.";
}

if (log) {
  for (const at of log.querySelectorAll("[data-open]")) openLines[at.dataset.open] = { at, text: at.textContent.slice(at.firstElementChild.textContent.length).replace(/\n$/, "") };
  if (!location.hash) log.scrollTop = log.scrollHeight;
  log.addEventListener("scroll", showFollowing);
  document.addEventListener("visibilitychange", () => { document.hidden ? unfollowLog() : followLog(); });
  addEventListener("pagehide", unfollowLog);
  showFollowing();
  followLog();
}
