// The search of the header: "/" or Ctrl-K goes to it, and what its page finds is shown below it
// while one types. Without this script, Enter opens that page.
"use strict";

const find = document.getElementById("find");
const palette = document.getElementById("palette");
const TYPING_MS = 150;
let latest = 0;
let typing = 0;

async function suggest() {
  const mine = ++latest;
  let answer;
  try {
    answer = await ask(`${find.form.action}?q=${encodeURIComponent(find.value)}`);
    if (!answer.ok) return;
  } catch {
    return; // the page says that nobody answers
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("found");
  if (mine !== latest || !found || !find.form.contains(document.activeElement)) return;
  for (const back of found.querySelectorAll("input[name=_back]"))
    back.value = location.pathname + location.search; // a button here leads back here
  for (const each of found.querySelectorAll("[id]")) each.id = `palette-${each.id}`;
  for (const each of found.querySelectorAll("[aria-labelledby]"))
    each.setAttribute("aria-labelledby", `palette-${each.getAttribute("aria-labelledby")}`);
  palette.replaceChildren(...found.childNodes);
  palette.hidden = false;
  tell(`${hits().length} found`);
}

const hits = () => [...palette.querySelectorAll(".hit")];

function close() {
  clearTimeout(typing);
  latest++; // what was asked is shown no more
  palette.hidden = true;
}

function move(by) {
  const stops = [find, ...hits()];
  const at = stops.indexOf(document.activeElement) + by;
  stops[Math.min(Math.max(at, 0), stops.length - 1)].focus();
}

if (find) {
  find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(suggest, TYPING_MS);
  });
  find.addEventListener("focus", () => palette.hidden && suggest());
  document.getElementById("finder").addEventListener("focusout", (event) => {
    if (!event.currentTarget.contains(event.relatedTarget)) close();
  });
  document.getElementById("finder").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && !palette.hidden) { event.preventDefault(); move(by); }
    if (event.key !== "Escape") return;
    if (!palette.hidden) { event.preventDefault(); find.focus(); }
    close();
  });
  document.addEventListener("keydown", (event) => {
    const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
    const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (!isK && !(isSlash && !event.target.matches("input, select, textarea"))) return;
    event.preventDefault();
    find.focus();
    find.select();
  });
}
