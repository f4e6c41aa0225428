// Keeps a page fresh: asks once a second whether something changed, and if so fetches the page
// again and exchanges the parts that are marked "data-live". Without it every page is readable.
"use strict";

const EVERY_MS = 1000;
const PATIENCE_MS = 30000;
const body = document.body;

// --- times ---------------------------------------------------------------------------------

const two = (n) => String(n).padStart(2, "0");
const day = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
const local = (d) => `${day(d)} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
const isUtc = new Date().getTimezoneOffset() === 0;

function tellLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    const told = `${local(at)} local`;
    time.title = told;
    if (!isUtc && "wide" in time.dataset && !time.querySelector(".local")) {
      const span = document.createElement("span");
      span.className = "local";
      span.textContent = ` (${told})`;
      time.append(span);
    }
  }
}

let shownAt = performance.now();

function tick() {
  const clock = document.getElementById("clock");
  const rate = clock ? Number(clock.dataset.rate) : 0;
  if (!rate || !lost.hidden) return;
  const passed = (performance.now() - shownAt) * rate;
  const at = new Date(new Date(clock.dataset.now).getTime() + passed);
  if (isNaN(at)) return;
  const weekday = at.toLocaleDateString("en", { weekday: "short", timeZone: "UTC" });
  const text = at.toISOString().slice(0, 19).replace("T", " ");
  document.getElementById("now").textContent = `${weekday} ${text} UTC`;
}

// --- staying fresh -------------------------------------------------------------------------

const lost = document.getElementById("lost");
const sent = new Map(); // each part by its id, as the server made it
for (const part of document.querySelectorAll("[data-live]")) sent.set(part.id, part.outerHTML);

const ask = (url) =>
  fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE_MS) });
const isBusy = (part) =>
  part.matches(":active") || // a button that is being pressed has to be there when it is let go
  (part.contains(document.activeElement) &&
    document.activeElement.matches("input:not([type=checkbox]), select, textarea"));
const chosenAtFirst = (select) =>
  [...select.options].find((option) => option.defaultSelected) || select.options[0];
const isDirty = (part) =>
  [...part.querySelectorAll("input[type=text], input:not([type]), textarea")].some(
    (each) => each.value !== each.defaultValue) ||
  [...part.querySelectorAll("select")].some(
    (each) => each.selectedOptions[0] !== chosenAtFirst(each));

// Whether the part is up to date now: one that is being written in stays as it is.
function exchange(part, fresh) {
  if (!fresh || fresh.outerHTML === sent.get(part.id)) return true;
  if (isBusy(part) || isDirty(part)) return false;
  sent.set(part.id, fresh.outerHTML);
  const open = new Map([...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
  const ticked = new Set([...part.querySelectorAll("input:checked")].map((i) => i.value));
  const scrolled = new Map([...part.querySelectorAll("pre[id]")].map((p) => [p.id, p.scrollTop]));
  const focused = part.contains(document.activeElement) && document.activeElement.outerHTML;
  const before = part.cloneNode(true);
  part.replaceWith(fresh);
  for (const each of fresh.querySelectorAll("details[id]"))
    if (open.has(each.id)) each.open = open.get(each.id);
  for (const each of fresh.querySelectorAll("input[type=checkbox]"))
    if (ticked.has(each.value)) each.checked = true;
  for (const each of fresh.querySelectorAll("pre[id]"))
    each.scrollTop = scrolled.get(each.id) || 0;
  if (focused)
    [...fresh.querySelectorAll("a, button, summary, input")].find((e) => e.outerHTML === focused)?.focus();
  if (before.textContent !== fresh.textContent && fresh.id !== "clock") fresh.classList.add("fresh");
  dress(fresh);
  return true;
}

function renewTokens(page) {
  const token = page.querySelector("input[name=_token]");
  for (const each of document.querySelectorAll("input[name=_token]"))
    if (token) each.value = token.value;
}

async function refresh() {
  const answer = await ask(location.href);
  if (answer.status === 404) {
    location.reload(); // what it showed is gone: the page that says so asks no more
    return;
  }
  if (!answer.ok) throw new Error(answer.statusText);
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
    location.assign(answer.url);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = [...document.querySelectorAll("[data-live]")];
  const done = parts.map((part) => exchange(part, page.getElementById(part.id)));
  renewTokens(page);
  if (page.body.dataset.pulse && !done.includes(false)) body.dataset.pulse = page.body.dataset.pulse;
  shownAt = performance.now();
}

async function look() {
  const account = body.dataset.account;
  if (account) {
    const answer = await ask(`/console/${account}/pulse`);
    if (answer.ok && (await answer.json()).pulse === body.dataset.pulse) return;
  } else if (!document.querySelector("[data-poll]")) return;
  await refresh();
}

async function keepLooking() {
  let wait = EVERY_MS;
  for (;;) {
    await new Promise((done) => setTimeout(done, wait));
    if (document.hidden) continue;
    try {
      await look();
      wait = EVERY_MS;
      lost.hidden = true;
    } catch {
      wait = Math.min(wait * 2, 15000); // the simulator is down, or being restarted
      lost.hidden = false;
    }
  }
}

// --- copying -------------------------------------------------------------------------------

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

// --- choosing ------------------------------------------------------------------------------

const choices = (all) =>
  [...document.querySelectorAll(`input[type=checkbox][form=${all.dataset.tick}][name=id]`)];

function tellAll() {
  for (const all of document.querySelectorAll("[data-tick]")) {
    const ticked = choices(all).filter((each) => each.checked).length;
    all.checked = ticked > 0 && ticked === choices(all).length;
    all.indeterminate = ticked > 0 && !all.checked;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick]"))
    for (const each of choices(event.target)) each.checked = event.target.checked;
  tellAll();
});

function dress(root) {
  for (const each of root.querySelectorAll("[data-copy], [data-tick]")) each.hidden = false;
  tellAll();
  tellLocalTimes(root);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape")
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.matches("input, select, textarea")) {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  }
});

dress(document);
setInterval(tick, 200);
keepLooking();
