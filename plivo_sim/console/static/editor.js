// The editor of a scenario: marks its mistakes beside their lines while it is written, and completes
// keys and words by the schema that the simulator serves. Without it the editor is a plain form field.
const form = document.querySelector("[data-editor]");
const area = form.querySelector("textarea");
const gutter = form.querySelector(".gutter");
const margin = form.querySelector(".margin");
const offers = form.querySelector("[role=listbox]");
const told = form.querySelector("[data-editor-told]");
const CHECK_AFTER_MS = 400;
const MOST_OFFERS = 30;

// --- mistakes ------------------------------------------------------------------------------

let asked = 0;
let waiting = 0;

// A text with mistakes has no warnings.
function showLines(mistakes, warnings = []) {
  const lines = area.value.split("\n").map(() => []);
  for (const each of [...mistakes, ...warnings])
    lines[each.line - 1]?.push(`${each.path ? each.path.split(".").pop() + ": " : ""}${each.text}`);
  const kind = mistakes.length ? "bad" : "wait";
  gutter.replaceChildren(...lines.map((texts, i) => item(String(i + 1), texts.length ? kind : "")));
  margin.replaceChildren(...lines.map((texts) => item(texts.join("; "), "", true)));
  margin.classList.toggle("wait", kind === "wait");
  area.rows = Math.max(12, Math.min(lines.length + 1, 60));
  followScroll();
}

function item(text, kind, titled) {
  const li = document.createElement("li");
  li.textContent = text;
  if (kind) li.className = kind;
  if (titled) li.title = text;
  return li;
}

function followScroll() {
  gutter.scrollTop = margin.scrollTop = area.scrollTop;
}

// How many, and the first; empty for none.
function counted(found, word) {
  if (!found.length) return "";
  const { line, text } = found[0];
  const count = `${found.length} ${word}${found.length === 1 ? "" : "s"}.`;
  return `${count} ${line ? `Line ${line}: ` : ""}${text}`;
}

async function check() {
  const mine = ++asked;
  if (!area.value.trim()) {
    showLines([]);
    told.textContent = "";
    return;
  }
  try {
    const answer = await fetch("/_sim/scenario/check", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ yaml: area.value, account: document.body.dataset.account }),
    });
    const found = await answer.json();
    if (mine !== asked) return; // it was written on meanwhile
    if (!answer.ok) throw new Error(found.detail);
    showLines(found.mistakes, found.warnings);
    told.textContent = [
      counted(found.mistakes, "mistake") || "No mistakes.",
      counted(found.warnings, "warning"),
    ].join(" ").trim();
  } catch {
    if (mine === asked) told.textContent = "It could not be checked.";
  }
}

// --- completion ----------------------------------------------------------------------------

let schema = null;
let chosen = -1;
let begun = ""; // what is written of the word already

async function loadSchema() {
  schema ??= await (await fetch("/_sim/schema/scenario.json")).json();
}

function plain(part) {
  while (part?.$ref) part = schema.$defs[part.$ref.split("/").pop()];
  return part ?? {};
}

// Every alternative of a part of the schema, without references.
function kinds(part) {
  const here = plain(part);
  return here.anyOf ? here.anyOf.flatMap(kinds) : [here];
}

// What the schema says at a path of keys; lists are passed through.
function at(path) {
  let found = kinds(schema);
  for (const key of path)
    found = found.flatMap((kind) => (kind.type === "array" ? kinds(kind.items) : [kind]))
      .flatMap((kind) => kind.properties?.[key] ? kinds(kind.properties[key])
        : typeof kind.additionalProperties === "object" ? kinds(kind.additionalProperties) : []);
  return found.flatMap((kind) => (kind.type === "array" ? kinds(kind.items) : [kind]));
}

// The keys that lead to the cursor, and whether a key or a value is written there.
function whereabouts() {
  const before = area.value.slice(0, area.selectionStart);
  const lines = before.split("\n");
  const line = lines.pop();
  const indent = (text) => text.match(/^[\s-]*/)[0].length;
  const path = [];
  let depth = indent(line);
  for (let i = lines.length - 1; i >= 0 && depth > 0; i--) {
    const key = lines[i].match(/^([\s-]*)([\w.]+):/);
    if (key && key[1].length < depth) {
      if (/:\s*(#.*)?$/.test(lines[i])) path.unshift(key[2]);
      depth = key[1].replace(/-.*/, "").length; // the item's own keys stand beside its first
    }
  }
  let rest = line.slice(depthOf(line));
  for (let open; (open = rest.match(/^[^{}]*?([\w.]+):\s*\[?\s*\{(.*)$/s)) || (open = rest.match(/^()\{(.*)$/s)); ) {
    if (open[2].split("}").length > open[2].split("{").length) break; // it is closed again
    if (open[1]) path.push(open[1]);
    rest = open[2];
  }
  const last = rest.split(/,\s*/).pop();
  const value = last.match(/^([\w.]+):\s+(.*)$/);
  return value ? { path: [...path, value[1]], begun: value[2], isValue: true }
    : { path, begun: last.trim(), isValue: false };
}

const depthOf = (line) => line.match(/^[\s-]*/)[0].length;

function words({ path, isValue }) {
  const found = at(path);
  if (!isValue)
    return [...new Set(found.flatMap((kind) => Object.keys(kind.properties ?? {})))].map((key) => `${key}: `);
  return [...new Set(found.flatMap((kind) => kind.enum ?? kind.examples ?? (kind.type === "boolean" ? [true, false] : [])))]
    .map(String);
}

async function offer() {
  await loadSchema();
  const where = whereabouts();
  begun = where.begun.replace(/^["'[]/, "");
  const fitting = words(where).filter((word) => word.startsWith(begun) && word !== begun);
  offers.replaceChildren(...fitting.slice(0, MOST_OFFERS).map((word, i) => {
    const li = item(word, "");
    li.id = `offer-${i}`;
    li.setAttribute("role", "option");
    return li;
  }));
  offers.hidden = fitting.length === 0;
  if (offers.hidden) {
    told.textContent = "Nothing to complete here.";
    return;
  }
  const line = area.value.slice(0, area.selectionStart).split("\n").length;
  const height = parseFloat(getComputedStyle(area).lineHeight);
  offers.style.top = `${Math.min((line + 0.5) * height - area.scrollTop, area.offsetHeight)}px`;
  choose(0);
}

function choose(index) {
  const items = [...offers.children];
  chosen = (index + items.length) % items.length;
  items.forEach((each, i) => each.setAttribute("aria-selected", String(i === chosen)));
  items[chosen].scrollIntoView({ block: "nearest" });
  area.setAttribute("aria-activedescendant", items[chosen].id);
}

function close() {
  offers.hidden = true;
  area.removeAttribute("aria-activedescendant");
}

function take(word) {
  const start = area.selectionStart - begun.length;
  area.setRangeText(word, start, area.selectionEnd, "end");
  close();
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

area.addEventListener("keydown", (event) => {
  if (event.key === " " && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    offer().catch(() => (told.textContent = "The schema could not be read."));
  } else if (!offers.hidden) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) choose(chosen + moves[event.key]);
    else if (event.key === "Enter" || event.key === "Tab") take(offers.children[chosen].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  }
});
area.addEventListener("input", () => {
  close();
  showLines([]);
  clearTimeout(waiting);
  waiting = setTimeout(check, CHECK_AFTER_MS);
});
area.addEventListener("scroll", followScroll);
area.addEventListener("blur", () => setTimeout(close, 200));
offers.addEventListener("mousedown", (event) => {
  event.preventDefault(); // the focus stays in the text
  if (event.target.matches("li")) take(event.target.textContent);
});
area.setAttribute("aria-controls", "offers");
area.setAttribute("aria-autocomplete", "list");
form.querySelector("[data-editor-keys]").hidden = false;
