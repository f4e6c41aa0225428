// Keeps a page fresh: asks once a second whether something changed, and if so fetches the page
// again and exchanges the parts that are marked "data-live". Without it every page is readable.
"use strict";

const EVERY_MS = 1000;
const PATIENCE_MS = 30000;
const RESTING_MS = 4000;
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
let movedAt = -Infinity;
addEventListener("pointermove", () => (movedAt = performance.now()), { passive: true });
// What is being pressed, written in, or about to be clicked has to stay where it is.
const isBusy = (part) =>
  part.matches(":active") ||
  (part.contains(document.activeElement) &&
    document.activeElement.matches("input:not([type=checkbox]), select, textarea")) ||
  (performance.now() - movedAt < RESTING_MS &&
    part.querySelector(":is(a, button, summary, select, input, label):hover") !== null);
const chosenAtFirst = (select) =>
  [...select.options].find((option) => option.defaultSelected) || select.options[0];
const isDirty = (part) =>
  part.querySelector("[data-kept]") !== null ||
  [...part.querySelectorAll("input[type=text], input:not([type]), textarea")].some(
    (each) => each.value !== each.defaultValue) ||
  [...part.querySelectorAll("select")].some(
    (each) => each.selectedOptions[0] !== chosenAtFirst(each));

// Whether the part is up to date now: one that is being written in stays as it is.
function exchange(part, fresh) {
  if (!fresh || fresh.outerHTML === sent.get(part.id)) return true;
  if (holdsBack(part, fresh)) return true;
  if (isBusy(part) || isDirty(part)) return false;
  replace(part, fresh);
  return true;
}

function replace(part, fresh) {
  sent.set(part.id, fresh.outerHTML);
  const open = new Map([...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
  const ticked = new Set([...part.querySelectorAll("input:checked")].map((i) => i.value));
  const scrolled = new Map([...part.querySelectorAll("pre[id]")].map((p) => [p.id, p.scrollTop]));
  const focused = part.contains(document.activeElement) && document.activeElement;
  const before = part.cloneNode(true);
  part.replaceWith(fresh);
  for (const each of fresh.querySelectorAll("details[id]"))
    if (open.has(each.id)) each.open = open.get(each.id);
  for (const each of fresh.querySelectorAll("input[type=checkbox]"))
    if (ticked.has(each.value)) each.checked = true;
  for (const each of fresh.querySelectorAll("pre[id]"))
    each.scrollTop = scrolled.get(each.id) || 0;
  if (focused) twinOf(focused, fresh)?.focus({ preventScroll: true });
  if (before.textContent !== fresh.textContent && fresh.id !== "clock") fresh.classList.add("fresh");
  dress(fresh);
}

// The same control in a part that was made anew, though it may say something else now.
const nameOf = (e) => e.id || e.getAttribute("href") || (e.name && `${e.name} ${e.value}`) || e.textContent;
const twinOf = (one, root) =>
  [...root.querySelectorAll("a, button, summary, input, select, textarea, [tabindex]")].find(
    (e) => e.tagName === one.tagName && nameOf(e) === nameOf(one));

// --- lists: new rows wait ------------------------------------------------------------------

const rowsOf = (part) =>
  new Map([...part.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
const isUsed = (part) =>
  part.matches(":hover") || part.contains(document.activeElement) || part.querySelector("input:checked");

// Whether a list has other rows now, which are shown when somebody asks for them. Those that it
// shows are brought up to date where they are. data-holds: "busy" (only while it is in use), or
// how many there are in all.
function holdsBack(part, fresh) {
  if (!("holds" in part.dataset)) return false;
  const shown = rowsOf(part), now = rowsOf(fresh);
  part.querySelector(".news")?.remove();
  if (!shown.size || (part.dataset.holds === "busy" && !isUsed(part))) return false;
  if ([...shown.keys()].join() === [...now.keys()].join()) return false;
  for (const [key, row] of shown) {
    const other = now.get(key)?.cloneNode(true);
    if (!other || row.matches(":active") || other.textContent === row.textContent) continue;
    const focused = row.contains(document.activeElement) && document.activeElement;
    const ticked = row.querySelector("input:checked") !== null;
    row.replaceWith(other);
    for (const box of other.querySelectorAll("input[type=checkbox]")) box.checked = ticked;
    if (focused) twinOf(focused, other)?.focus({ preventScroll: true });
    tellLocalTimes(other);
  }
  const more = Number(fresh.dataset.holds) - Number(part.dataset.holds) || 0;
  const added = Math.max([...now.keys()].filter((key) => !shown.has(key)).length, more);
  const news = document.createElement("div");
  news.className = "news";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = added ? `${added} new` : "The list has changed: show it";
  button.addEventListener("click", () => {
    replace(part, fresh);
    fresh.focus({ preventScroll: true });
  });
  news.append(button);
  part.prepend(news);
  if (sent.has(part.id)) tell(button.textContent);
  sent.delete(part.id); // its rows are no longer as they were sent
  return true;
}

function tell(text) {
  document.getElementById("told").textContent = text;
}

function renewTokens(page) {
  const token = page.querySelector("input[name=_token]");
  for (const each of document.querySelectorAll("input[name=_token]"))
    if (token) each.value = token.value;
}

async function refresh() {
  const answer = await ask(location.href);
  if (body.dataset.busy) return; // a button was pressed: its answer is the next page
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
  const under = [...document.querySelectorAll(":hover")].pop();
  const top = under?.getBoundingClientRect().top;
  const done = parts.map((part) => exchange(part, page.getElementById(part.id)));
  if (under?.isConnected) scrollBy(0, under.getBoundingClientRect().top - top);
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
  [...document.querySelectorAll(`input[type=checkbox][form=${all.dataset.tick}]`)].filter((each) => each.value);

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
});

// --- after a button --------------------------------------------------------------------------

// What was done is told once: the URL that somebody copies does not say it.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  history.replaceState(history.state, "", here);
}

const WAS = "plivo-sim: where one was";
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (body.dataset.busy) return event.preventDefault(); // it is on its way already
  body.dataset.busy = "yes";
  setTimeout(() => (document.getElementById("busy").hidden = !body.dataset.busy), 300);
  setTimeout(rest, PATIENCE_MS); // whoever stopped it may press again
  const alike = [...document.querySelectorAll("form")].filter((each) => each.action === form.action);
  const label = labelOf(event.submitter);
  const was = { path: location.pathname, do: form.action, at: alike.indexOf(form), label, y: scrollY };
  sessionStorage.setItem(WAS, JSON.stringify(was));
});
const labelOf = (button) => button?.ariaLabel ?? button?.textContent ?? "";
function rest() {
  delete body.dataset.busy;
  document.getElementById("busy").hidden = true;
}
addEventListener("pageshow", rest);

// The page that a button leads to is where one was: the same place, the same button.
function goBack() {
  const was = JSON.parse(sessionStorage.getItem(WAS) ?? "null");
  const done = document.getElementById("done");
  sessionStorage.removeItem(WAS);
  if (!was || !done || was.path !== location.pathname) return;
  const forms = [...document.querySelectorAll("form")].filter((each) => each.action === was.do);
  const wrong = document.querySelector("main [aria-invalid=true]"); // what is to be corrected
  if (wrong) {
    wrong.focus();
    const isTold = document.querySelector("main .wrong"); // beside the field
    if (scrollY > 0 && !isTold) done.classList.add("stay");
    return;
  }
  const buttons = [...(forms[was.at] ?? forms[0])?.elements ?? []].filter((e) => e.matches("button"));
  const same = buttons.find((e) => labelOf(e) === was.label && e.checkVisibility());
  (same ?? done).focus({ preventScroll: true });
  if (was.y > 0) {
    done.classList.add("stay");
    scrollTo(0, was.y);
  }
}

for (const chosen of document.querySelectorAll(".side .chosen"))
  chosen.closest(".side").scrollTop = chosen.offsetTop - 60;
for (const tab of document.querySelectorAll(".tabs [aria-current], .statuses [aria-current]"))
  tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.clientWidth / 2;
dress(document);
goBack();
setInterval(tick, 200);
keepLooking();
